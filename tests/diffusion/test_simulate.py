"""The simulator against closed forms: paths, pixels, PSFs, cameras, cues, ranges."""

from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit
from photons import PURE, QUIET, photon_moments, photon_sums, stacks
from sampling import CHANCE, deviate, frequencies, normal
from scipy import integrate, stats
from scipy.special import j0, j1, ndtr

from blurbench.diffusion import psf as psfs
from blurbench.diffusion import simulate
from blurbench.diffusion.estimators import blur_coefficient
from blurbench.diffusion.simulate import AXES, DEFAULTS, SHARD, dataset, imaging, photon_stacks, realised, render
from blurbench.microscopy import camera as cameras
from blurbench.microscopy.random_streams import key, stream

ONLY_PATHS = {"size_px": 1, "photons": 0}


def expected_photons(positions, spec):
    """Detected photons of each pixel, (..., y, x), averaged over the true sub-positions: separable erf profiles."""
    full, pixel = imaging(spec), imaging(spec)["pixel_size_um"]
    edges = (np.arange(full["size_px"] + 1) - full["size_px"] / 2) * pixel
    s = full["psf"]["fwhm_um"] / psfs.FWHM_OVER_SD
    share = np.diff(ndtr((edges - positions[..., None].astype(float)) / s))  # (..., substep, axis, pixel)
    spot = np.einsum("...ki,...kj->...ij", share[..., 0, :], share[..., 1, :]) / positions.shape[-2]
    return full["camera"]["quantum_efficiency"] * (full["background"] + full["photons"] * spot)


def grey_law(electrons, settings):
    """Mean, variance and fourth central moment of a grey value, by the cumulants of its independent parts."""
    em, gain, b = settings["em_gain"], settings["gain"], settings["laplace_noise"]
    # Behind an EM register each electron becomes an exponential number: the r-th cumulant has a factor r!.
    second, fourth = (2, 24) if em > 1 else (1, 1)
    k2 = gain**2 * (second * em**2 * electrons + settings["read_noise"] ** 2 + 2 * b**2) + 1 / 12
    k4 = gain**4 * (fourth * em**4 * electrons + 12 * b**4) - 1 / 120
    return settings["offset"] + gain * em * electrons, k2, k4 + 3 * k2**2


# Paths


@pytest.mark.parametrize("exposure, substeps", [(0.02, 10), (0.008, 4), (0.02, 1)])
def test_steps_are_normal_with_variance_2D_delta(exposure, substeps):
    D, frame_time, frames = 1.3, 0.02, 20_000
    spec = {"exposure_s": exposure, "substeps": substeps, "frame_time_s": frame_time, "frames": frames}
    path = stacks([D] * 3, 1, **ONLY_PATHS, **spec)[1].astype(float)
    delta = np.full((frames, substeps), exposure / substeps)
    delta[:, -1] += frame_time - exposure  # the dead time, on the step to the next frame
    z = np.diff(path.reshape(3, -1, 2), axis=1) / np.sqrt(2 * D * delta.ravel()[:-1, None])
    n = z.size
    deviate(np.mean(z**2), 1, np.sqrt(2 / n))
    assert stats.kstest(z.ravel()[:100_000], "norm").pvalue > CHANCE
    for a, b in ((z[:, :-1], z[:, 1:]), (z[..., 0], z[..., 1]), (z[0], z[1])):
        deviate(np.mean(a * b), 0, 1 / np.sqrt(a.size))


@pytest.mark.parametrize("exposure", [0.01, 0.004])
def test_mean_square_displacement_is_4Dt(exposure):
    D, frame_time = 0.7, 0.01
    path = stacks([D] * 4, 2, **ONLY_PATHS, frames=20_000, exposure_s=exposure)[1].astype(float)
    for lag in (1, 3, 10, 100):
        square = (np.diff(path[:, ::lag, 0], axis=1) ** 2).sum(axis=-1)  # displacements that share no step
        deviate(square.mean(), 4 * D * frame_time * lag, 4 * D * frame_time * lag / np.sqrt(square.size))


def test_a_path_starts_at_the_centre_or_around_it():
    assert (stacks([1, 5], 3, start_spread_px=0)[1][:, 0, 0] == 0).all()
    for spread in (3.0, DEFAULTS["start_spread_px"]):  # the default: no part of a pixel is preferred
        small = {"start_spread_px": spread, "frames": 2, "size_px": 8, "pixel_size_um": 0.5}
        start = stacks([0] * 2000, 3, **small)[1][:, 0, 0] / 0.5
        assert stats.kstest(start.ravel(), stats.uniform(-spread / 2, spread).cdf).pvalue > CHANCE
    assert DEFAULTS["start_spread_px"] == 1


@pytest.mark.parametrize("share, substeps", [(1, 10), (1, 2), (0.5, 4), (0.3, 1)])
def test_displacements_of_mean_positions_are_blurred(share, substeps):
    D, dt, N = 2.0, 0.01, 60_000
    spec = {"frames": N + 1, "exposure_s": share * dt, "substeps": substeps}
    centres = stacks([D] * 2, 4, **ONLY_PATHS, **spec)[1].astype(float).mean(axis=2)
    step = np.diff(centres, axis=1)
    R = blur_coefficient(share * dt, dt, substeps)
    v, c = 2 * D * dt * (1 - 2 * R), 2 * R * D * dt
    # Standard errors of means of products of normal numbers that are correlated with their neighbours (Isserlis).
    deviate((step**2).mean(), v, np.sqrt((2 * v**2 + 4 * c**2) / step.size))
    deviate((step[:, 1:] * step[:, :-1]).mean(), c, np.sqrt((v**2 + 3 * c**2) / step.size))
    deviate((step[:, 2:] * step[:, :-2]).mean(), 0, np.sqrt((v**2 + 4 * c**2) / step.size))


def test_realised_D():
    path = stacks([1.0] * 400, 5, **ONLY_PATHS)[1]
    D = np.array([realised(p, 0.01, 0.01) for p in path])
    deviate(D.mean(), 1.0, D.std() / np.sqrt(len(D)))
    assert 0.6 < D.std() < 1.0  # the label of the source report: a noisy statistic (facts 3.2: 0.8)
    line = np.stack([np.arange(40.0).reshape(4, 10), np.zeros((4, 10))], axis=-1)
    t = np.arange(1, 40)
    assert realised(line, 0.1, 0.1) == pytest.approx((t**3).sum() / (t**2).sum() / 0.01 / 4)


# A continuous path, seen through its photons


@pytest.mark.parametrize("kept", [1, 10])
@pytest.mark.parametrize("share", [1, 0.4])
def test_photons_of_a_continuous_path_show_the_whole_blur(monkeypatch, share, kept):
    """Width, displacements of centroids and their covariance of facts 1 and 2.4, whatever is kept of the path."""
    monkeypatch.setattr(simulate, "moments", lambda imaging: kept)
    D, dt, M, frames, pixel = 2.0, 0.01, 50, 20, 0.1
    exposure, s2 = share * dt, (0.25 / psfs.FWHM_OVER_SD) ** 2 + pixel**2 / 12
    spec = {"size_px": 80, "pixel_size_um": pixel, "photons": M, "frames": frames, "exposure_s": exposure}
    images, path, _ = stacks([D] * 400, 30, substeps="continuous", **PURE, **spec)
    assert path.shape == (400, frames, kept, 2)
    inside = (np.abs(path) < 3).all(axis=(1, 2, 3))  # 1 µm from the edge, so that no photon is lost
    assert inside.mean() > 0.9
    mean, variance = photon_moments(images[inside], pixel)
    deviate(variance.mean(), s2 + D * exposure / 3, variance.std() / np.sqrt(variance.size))
    step, R = np.diff(mean, axis=1), blur_coefficient(exposure, dt)
    error = (s2 + D * exposure / 3) / M  # facts 2.5: photons at their own moments, localised by their mean
    v, c = 2 * D * dt * (1 - 2 * R) + 2 * error, 2 * R * D * dt - error
    deviate((step**2).mean(), v, np.sqrt((2 * v**2 + 4 * c**2) / step.size))
    deviate((step[:, 1:] * step[:, :-1]).mean(), c, np.sqrt((v**2 + 3 * c**2) / step.size))
    deviate((step[:, 2:] * step[:, :-2]).mean(), 0, np.sqrt((v**2 + 4 * c**2) / step.size))


def test_positions_kept_of_a_continuous_path_are_on_it():
    D, K, M, exposure, pixel = 5.0, 10, 20_000, 0.008, 0.05
    spec = {"size_px": 128, "pixel_size_um": pixel, "photons": M, "frames": 3, "exposure_s": exposure}
    images, path, _ = stacks([D] * 100, 31, substeps="continuous", **PURE, **spec)
    difference = photon_moments(images, pixel)[0] - path.mean(axis=2, dtype=float)
    # In each of the 2K halves of a part δ, what the path does beyond the kept position is independent of all the rest:
    # its mean has a variance of 2D(δ/2)³/3 over δ², and 2K of those over K² are D t_E/(6K²).
    photons = ((0.25 / psfs.FWHM_OVER_SD) ** 2 + pixel**2 / 12 + D * exposure / 3) / M
    variance = D * exposure / (6 * K**2) + photons
    deviate((difference**2).mean(), variance, variance * np.sqrt(2 / difference.size))
    deviate((difference[:, 1:] * difference[:, :-1]).mean(), 0, variance / np.sqrt(difference[:, 1:].size))


def test_cues_of_a_continuous_path():
    M, pixel = 5000, 0.05
    spec = {"size_px": 96, "pixel_size_um": pixel, "photons": M, "frames": 3, "substeps": "continuous"}
    spec |= {"background": 0, "camera": QUIET}
    plain, whole, _ = stacks([1.0] * 100, 32, **spec)
    rest, at, _ = stacks([1.0] * 100, 32, cue="no_shape", **spec)
    centred, inside, _ = stacks([1.0] * 100, 32, cue="no_trajectory", **spec)
    centres = whole.mean(axis=2, keepdims=True, dtype=float)
    assert at == pytest.approx(np.broadcast_to(centres, at.shape), abs=1e-6)
    assert inside == pytest.approx(whole - centres, abs=1e-6)
    s2 = (0.25 / psfs.FWHM_OVER_SD) ** 2 + pixel**2 / 12
    mean, variance = photon_moments(rest, pixel)
    deviate(variance, s2, s2 / np.sqrt(M))
    normal((mean - centres[:, :, 0]) / np.sqrt(s2 / M))
    mean, variance = photon_moments(plain, pixel)
    same_mean, same_variance = photon_moments(centred, pixel)
    # The same photons on another part of the pixels, which move each by less than one.
    assert same_variance == pytest.approx(variance, abs=5 * s2 / np.sqrt(M))
    assert same_mean == pytest.approx(mean - centres[:, :, 0], abs=5 * pixel / np.sqrt(12 * M))


def test_width_does_not_depend_on_where_in_a_pixel_molecules_start():
    """Over all phases a pixel adds a²/12 to the variance, and that is all (Sheppard). From a corner: 9 errors more."""
    D, pixel = 0.1, 0.2
    spec = {"size_px": 24, "pixel_size_um": pixel, "photons": 1000, "frames": 4}
    variance = photon_moments(stacks([D] * 1500, 33, **PURE, **spec)[0], pixel)[1].mean(axis=1)
    expected = (0.25 / psfs.FWHM_OVER_SD) ** 2 + pixel**2 / 12 + D * 0.01 / 3 * 0.99
    deviate(variance.mean(), expected, variance.std() / np.sqrt(len(variance)))


# Pixels

PLAIN = {"camera": {}}
GAIN = {"camera": {"gain": 2.3, "quantum_efficiency": 0.8, "laplace_noise": 0.7, "read_noise": 1.4}}
EM = {"camera": {"em_gain": 50.0, "gain": 1.3, "read_noise": 20.0, "offset": 500}}


@pytest.mark.parametrize("changes", [PLAIN, GAIN, EM], ids=["plain", "gain", "em"])
@pytest.mark.parametrize("moving", [False, True])
def test_pixel_means_and_variances(changes, moving):
    spec = {"frames": 4, "size_px": 14, "start_spread_px": 2.0, **changes}
    D, n = (2.0, 1500) if moving else (0.0, 6)
    if not moving:
        spec["frames"] = 1000  # six sub-pixel phases, many frames each
    images, positions, _ = stacks([D] * n, 6, **spec)
    settings = imaging(spec)["camera"]
    mean, variance, fourth = grey_law(expected_photons(positions, spec), settings)
    samples = (0, 1) if moving else 1
    residual = images - mean
    normal(residual.sum(axis=samples) / np.sqrt(variance.sum(axis=samples)))
    # Where a wrong renderer would show first (score tests): shifted along y or x, wider, brighter.
    photons, wider = expected_photons(positions, spec), {"kind": "gaussian", "fwhm_um": 1.01 * 0.25}
    shifted = [expected_photons(positions + np.array(shift), spec) for shift in ((1e-3, 0), (0, 1e-3))]
    for direction in (*shifted, expected_photons(positions, {**spec, "psf": wider}), 2 * photons):
        direction = direction - photons
        deviate((residual * direction / variance).sum(), 0, np.sqrt((direction**2 / variance).sum()))
    # The sum of squares has a heavy tail: the fourth moment makes its deviates standard, many samples nearly normal.
    square = (residual**2 - variance).sum(axis=samples) / np.sqrt((fourth - variance**2).sum(axis=samples))
    deviate(square.sum(), 0, np.sqrt(square.size))
    assert np.abs(square).max() < 8
    deviate((residual[..., 1:] * residual[..., :-1]).sum(), 0, np.sqrt((variance[..., 1:] * variance[..., :-1]).sum()))


def test_positions_are_unbiased_at_every_sub_pixel_phase():
    # An SD of one pixel: centroids of pixelated spots are then exact to 1e-8.
    spec = {"size_px": 18, "psf": {"kind": "gaussian", "fwhm_um": 0.5}, "start_spread_px": 1.0, "frames": 400}
    spec |= {"photons": 500, "background": 0, "camera": {"read_noise": 0.5}}
    images, positions, _ = stacks([0] * 40, 7, **spec)
    mean, variance, _ = grey_law(expected_photons(positions, spec), imaging(spec)["camera"])
    centre = positions[:, :, 0].astype(float)  # (item, t, axis)
    at = (np.arange(18) + 0.5 - 9) * 0.2
    lever = np.stack(np.broadcast_arrays((at - centre[..., :1])[..., None], (at - centre[..., 1:])[..., None, :]))
    assert np.abs((lever * (mean - 100)).sum(axis=(-2, -1))).max() < 1e-6 * 500
    normal((lever * (images - 100.0)).sum(axis=(2, 3, 4)) / np.sqrt((lever**2 * variance).sum(axis=(2, 3, 4))))


def test_axes_are_t_y_x():
    spec = {"frames": 8, "camera": QUIET, "background": 0, "photons": 1e4, "pixel_size_um": 0.1}
    images, positions, _ = stacks([20.0], 8, substeps=1, **spec)
    counts, at = images[0] - 100.0, (np.arange(64) + 0.5 - 32) * 0.1
    centroids = np.stack([counts.sum(axis=2) @ at, counts.sum(axis=1) @ at], axis=-1) / counts.sum(axis=(1, 2))[:, None]
    assert np.abs(positions).max() > 1  # µm: it has moved, and differently along y and x
    assert centroids == pytest.approx(positions[0, :, 0], abs=0.01)


def test_many_sub_positions_and_none_at_all():
    images, positions, _ = stacks([1.0, 0.0], 9, substeps=1000, frames=3, size_px=16, start_spread_px=0)
    assert positions.shape == (2, 3, 1000, 2) and np.isfinite(positions).all()
    assert (positions[1] == 0).all() and images.max() > 110


# Point-spread functions


def flat_counts(spec, photons, seed, repeats=1):
    """Photon numbers summed over frames of a resting molecule in the middle, exactly `photons` a frame."""
    full = {"background": 0, "camera": QUIET, "substeps": 1, "frames": repeats, "start_spread_px": 0}
    full |= {**spec, "photons": photons}
    return (stacks([0.0], seed, cue="no_intensity", **full)[0][0].astype(float) - 100).sum(axis=0)


def test_airy_disc_has_the_radial_law_of_theory():
    na, wavelength, pixel, size, n = 1.4, 0.6, 0.005, 600, 1_000_000
    psf = {"kind": "airy", "na": na, "wavelength_um": wavelength}
    counts = flat_counts({"psf": psf, "pixel_size_um": pixel, "size_px": size}, n, 10)
    unit = wavelength / (2 * np.pi * na)
    at = (np.arange(size) + 0.5 - size / 2) * pixel / unit
    v = np.hypot(at[:, None], at)
    density = (j1(v) / v) ** 2 / np.pi * (pixel / unit) ** 2  # photons per pixel; its integral is 1 - J0² - J1²
    ring = np.digitize(v, np.arange(0.4, at.max(), 0.4)).ravel()
    observed, expected = np.bincount(ring, counts.ravel()), np.bincount(ring, density.ravel())
    assert expected[:20].sum() == pytest.approx(1 - j0(8) ** 2 - j1(8) ** 2, abs=1e-3)
    frequencies(np.append(observed, n - observed.sum()), np.append(expected, 1 - expected.sum()))


def test_airy_disc_has_no_direction():
    psf = {"kind": "airy", "na": 0.8, "wavelength_um": 0.5}
    counts = flat_counts({"psf": psf, "pixel_size_um": 0.02, "size_px": 64}, 200_000, 11)
    for other in (counts[::-1], counts[:, ::-1], counts.T):
        half = (
            np.triu(np.ones_like(counts), 1) > 0 if other is counts.T else np.arange(counts.size).reshape(64, 64) < 2048
        )
        pair = counts + other
        seen = half & (pair > 20)
        normal(((counts - other) / np.sqrt(np.maximum(pair, 1)))[seen])


def measured_psf(path):
    """A lopsided image, no square, with its peak off the centre."""
    y, x = np.indices((23, 34))
    image = np.exp(-((y - 8) ** 2 + (x - 20) ** 2) / 18) + 0.4 * np.exp(-((y - 14) ** 2) / 8 - (x - 12) ** 2 / 30)
    tifffile.imwrite(path, (image * 1000).astype(np.float32))
    return image


def test_mean_image_is_that_of_a_measured_psf(tmp_path):
    image = measured_psf(tmp_path / "psf.tif")
    psf = {"kind": "image", "file": str(tmp_path / "psf.tif"), "pixel_size_um": 0.043}
    n, size, pixel = 400_000, 12, 0.2
    counts = flat_counts({"psf": psf, "size_px": size, "pixel_size_um": pixel}, n // 10, 12, repeats=10)
    p = image / image.sum()
    edges = [np.arange(m + 1) - (p.sum(axis=1 - axis) @ (np.arange(m) + 0.5)) for axis, m in enumerate(p.shape)]
    # Share of each PSF pixel in each camera pixel, axis by axis: the centroid stands on the molecule.
    camera_edges = (np.arange(size + 1) - size / 2) * pixel / 0.043
    shares = [np.diff(np.clip((camera_edges[:, None] - e[:-1]), 0, 1), axis=0) for e in edges]
    expected = shares[0] @ p @ shares[1].T
    frequencies(counts.ravel(), expected.ravel() / expected.sum())
    at = np.arange(size) + 0.5 - size / 2
    for axis in (0, 1):
        marginal = counts.sum(axis=1 - axis)
        spread = np.sqrt((expected.sum(axis=1 - axis) * at**2).sum())
        deviate((marginal * at).sum() / n, 0, spread / np.sqrt(n))


def test_width_that_methods_are_told(tmp_path):
    assert psfs.fwhm({"kind": "gaussian", "fwhm_um": 0.3}) == 0.3
    assert psfs.fwhm({"kind": "airy", "na": 1.4, "wavelength_um": 0.6}) == pytest.approx(0.09 * 2.3548, rel=1e-4)
    y, x = np.indices((81, 81)) - 40
    tifffile.imwrite(tmp_path / "psf.tif", np.exp(-(y**2 + x**2) / (2 * 6.0**2)).astype(np.float32))
    told = psfs.fwhm({"kind": "image", "file": str(tmp_path / "psf.tif"), "pixel_size_um": 0.02})
    assert told == pytest.approx(0.02 * 6 * 2.3548, rel=0.02)


@pytest.mark.parametrize("image", [np.zeros((5, 5)), -np.ones((5, 5)), np.full((5, 5), np.nan), np.ones((2, 5, 5))])
def test_a_psf_that_is_none_is_refused(tmp_path, image):
    file = tmp_path / f"psf_{abs(hash(image.tobytes()))}.tif"
    tifffile.imwrite(file, image.astype(np.float32), photometric="minisblack")
    with pytest.raises(ValueError, match=r"psf\.file .*psf"):
        stacks([1.0], 1, psf={"kind": "image", "file": str(file), "pixel_size_um": 0.05})


# Camera


@njit
def _read(s, camera, signal, out):
    for i in range(len(out)):
        out[i] = cameras.read(s, camera, signal)


def grey_values(settings, background, signal=0, n=200_000):
    """Settings completed, and grey values of n pixels read one by one."""
    settings = imaging({"camera": settings})["camera"]
    out = np.empty(n, np.int64)
    _read(stream(key("grey"), 1, 2), cameras.camera(settings, background), signal, out)
    return settings, out


DARK = {
    "plain": ({}, 2.0),
    "no_background": ({}, 0.0),
    "laplace": ({"read_noise": 0.8, "laplace_noise": 1.5}, 3.0),
    "only_laplace": ({"read_noise": 0.0, "laplace_noise": 1.5}, 0.5),
    "no_noise": (QUIET, 4.0),
    "nothing": (QUIET, 0.0),
    "gain": ({"gain": 2.6}, 2.0),
    "low_gain": ({"gain": 0.37, "read_noise": 3.0}, 40.0),
    "half_gain": ({"gain": 0.5, **QUIET}, 3.0),  # every second photon falls on an edge
    "bright": ({}, 900.0),
    "clipped": ({"offset": 0.5, "read_noise": 2.0, "saturation": 5}, 2.0),
    "efficiency": ({"quantum_efficiency": 0.4}, 5.0),
}


@pytest.mark.parametrize("settings, background", DARK.values(), ids=DARK)
def test_table_of_dark_pixels_is_the_law_of_the_direct_draw(settings, background):
    settings, out = grey_values(settings, background)
    first, p = cameras.dark_distribution(settings, background * settings["quantum_efficiency"])
    assert p.sum() == pytest.approx(1, abs=1e-12) and (p >= 0).all()
    assert first >= 0 and first + len(p) - 1 <= settings["saturation"]
    assert out.min() >= first and out.max() < first + len(p)
    frequencies(np.bincount(out - first, minlength=len(p)), p)


@pytest.mark.parametrize("settings, background", DARK.values(), ids=DARK)
def test_dark_pixels_of_a_frame_have_that_law(settings, background):
    images, _, items = stacks([0] * 4, 13, photons=0, background=background, camera=settings)
    settings = imaging({"camera": settings})["camera"]
    first, p = cameras.dark_distribution(settings, background * settings["quantum_efficiency"])
    frequencies(np.bincount(images.ravel() - first, minlength=len(p)), p)
    sd = np.sqrt(np.average((np.arange(len(p)) - np.average(np.arange(len(p)), weights=p)) ** 2, weights=p))
    assert items["noise"].to_numpy() == pytest.approx(sd / settings["gain"], rel=0.1, abs=1e-9)


def test_em_register_doubles_the_variance():
    settings, out = grey_values({"em_gain": 200.0, "gain": 0.5, "read_noise": 30.0, "offset": 300}, 3.0, signal=4)
    mean, variance, fourth = grey_law(7.0, settings)  # 4 certain photons, 3 from the background
    n = len(out)
    certain = (0.5 * 200) ** 2 * 4  # a certain number has no Poisson variance, only that of the register
    deviate(out.mean(), mean, np.sqrt(variance / n))
    deviate(out.var(), variance - certain, np.sqrt((fourth - variance**2) / n))
    assert cameras.excess_noise(settings) == 2 and cameras.excess_noise({"em_gain": 1.0}) == 1


def test_laplace_noise_has_variance_2b2():
    settings, out = grey_values({"laplace_noise": 2.0}, 2.0)
    _, variance, fourth = grey_law(2.0, settings)
    assert variance == pytest.approx(2 + 1 + 8 + 1 / 12)
    deviate(out.var(), variance, np.sqrt((fourth - variance**2) / len(out)))


@pytest.mark.parametrize("sd, scale", [(1.0, 1.0), (0.3, 2.0), (3.0, 0.2), (5.0, 0.0), (0.0, 1.3)])
def test_noise_cdf_is_the_convolution(sd, scale):
    x = np.array([-8, -2.5, -0.4, 0, 0.7, 3.0, 9.0])
    if sd > 0 and scale > 0:
        law = stats.laplace(scale=scale)
        pieces = ((-np.inf, 0), (0, np.inf))
        expected = [
            sum(
                integrate.quad(lambda u, v=v: ndtr((v - u) / sd) * law.pdf(u), *ends, epsabs=1e-12)[0]
                for ends in pieces
            )
            for v in x
        ]
    else:
        expected = (stats.norm(scale=sd) if scale == 0 else stats.laplace(scale=scale)).cdf(x)
    assert cameras.noise_cdf(x, sd, scale) == pytest.approx(expected, abs=1e-9)
    ends = cameras.noise_cdf(np.array([-300.0, 300.0]), sd, scale)
    assert ends == pytest.approx([0, 1], abs=1e-12) and np.isfinite(ends).all()


def test_noise_that_is_none_is_a_step():
    assert list(cameras.noise_cdf(np.array([-1e-9, 0.0, 1e-9]), 0, 0)) == [0, 1, 1]


def test_saturation_and_floor():
    bright = {"photons": 1e5, "background": 0, "frames": 2, "size_px": 8}
    images = stacks([0.0], 14, **bright, camera={"saturation": 4095})[0]
    assert images.max() == 4095
    assert stacks([0.0], 14, **bright, camera={"gain": 50.0})[0].max() == 65535  # and does not wrap around
    dark = stacks([0.0], 15, photons=0, background=0, camera={"offset": 0, "read_noise": 5.0})[0]
    share = (dark == 0).mean()
    deviate(share, ndtr(0.5 / 5), 0.5 / np.sqrt(dark.size))


def test_photons_are_found_back_from_grey_values():
    spec = {"photons": 400, "background": 3, "frames": 400, "size_px": 16}
    for changes in (GAIN, EM):
        images = stacks([0.0], 16, **spec, **changes)[0][0]
        settings = imaging(changes)["camera"]
        photons = cameras.to_photons(images, settings)
        assert photons.dtype == np.float32
        detected = settings["quantum_efficiency"] * (400 + 3 * 256)
        variance = cameras.excess_noise(settings) * detected + 256 * cameras.noise_variance(settings)
        total = photons.sum(axis=(1, 2), dtype=float)
        deviate(total.mean(), detected, np.sqrt(variance / 400))
        deviate(total.var(), variance, variance * np.sqrt(2.5 / 400))


# Streams


def test_the_same_seed_gives_the_same_bits():
    a, b = photon_stacks([0.5, 5], {}, 1), photon_stacks([0.5, 5], {}, 1)
    assert a[0].dtype == np.uint16 and a[1].dtype == np.float32
    assert a[0].shape == (2, 16, 64, 64) and a[1].shape == (2, 16, 10, 2)
    assert (a[0] == b[0]).all() and (a[1] == b[1]).all()
    assert (a[0] != photon_stacks([0.5, 5], {}, 2)[0]).any()


WIDE = {
    "frames": [4, 9],
    "size_px": 16,
    "frame_time_s": [0.005, 0.04],
    "exposure_s": 0.02,
    "psf": {"kind": "gaussian", "fwhm_um": [0.1, 0.35]},
    "photons": [30, 1000],
    "background": [0, 10],
}


@pytest.mark.parametrize("spec", [{"size_px": 16}, WIDE], ids=["fixed", "drawn"])
def test_an_item_does_not_depend_on_its_shard(spec):
    D = np.geomspace(0.1, 10, 12)
    whole = stacks(D, 3, **spec)
    first, second = stacks(D[:5], 3, **spec), stacks(D[5:], 3, first=5, **spec)
    for a, b, c in zip(whole[:2], first[:2], second[:2]):
        assert np.array_equal(a, np.concatenate([b, c]), equal_nan=a.dtype == np.float32)
    assert whole[2].equals(pd.concat([first[2], second[2]], ignore_index=True))


def dataset_entry(**changes):
    entry = {
        "imaging": {"size_px": 16, "frames": 4},
        "D_um2_s": [0.1, 10],
        "test_D_um2_s": [0.1, 1, 10],
        "stream": "report",
    }
    return {**entry, "items": {"train": 300, "validation": 40, "test": 100}, **changes}


def made(split, seed=1, **changes):
    split = dataset(dataset_entry(**changes), split, seed)
    assert split.shard == SHARD and split.header["axes"] == AXES
    parts = [(images.copy(), items, truth) for images, items, truth in split.shards]
    assert sum(len(p[0]) for p in parts) == split.items
    return parts


def test_items_splits_seeds_and_datasets_are_independent():
    small = {"size_px": 16, "frames": 40, "photons": 1e-9}  # noise alone
    samples = [made(split, imaging=small)[0] for split in ("train", "validation", "test")]
    samples += [made("train", 2, imaging=small)[0], made("train", stream="dim", imaging=small)[0]]
    noise = np.array([images[i].ravel().astype(float) for images, _, _ in samples for i in range(20)])
    paths = [truth["positions"][i].reshape(-1, 2) for _, _, truth in samples for i in range(20)]
    for many in (noise, np.array([np.diff(path, axis=0).ravel() for path in paths])):
        normal(np.corrcoef(many)[np.triu_indices(len(many), 1)] * np.sqrt(many.shape[1]))


def test_D_of_the_splits():
    train = np.concatenate([items["D"] for _, items, _ in made("train", items={"train": 3000})])
    assert stats.kstest(np.log(train), stats.uniform(np.log(0.1), np.log(100)).cdf).pvalue > CHANCE
    test = np.concatenate([truth["D"] for _, _, truth in made("test")])
    assert (test == np.tile([0.1, 1, 10], 100)).all()


def test_truth_belongs_to_its_images():
    for images, items, truth in made("test", imaging={**WIDE}):
        assert len(images) == len(items) == len(truth["D"]) == len(truth["positions"]) == len(truth["D_realised"])
        assert np.isfinite(truth["D_realised"]).all() and (truth["D_realised"] > 0).all()
        row, path = items.iloc[0], truth["positions"][0]
        path = path[: int(row["frames"])]
        expected = realised(path, row["frame_time_s"], row["exposure_s"])
        assert truth["D_realised"][0] == pytest.approx(expected, rel=1e-4)  # the stored path has single precision


# Cues


CUED = {"size_px": 48, "frames": 6, "camera": QUIET, "background": 0}  # every photon stays in the field and is counted


@pytest.fixture(scope="module")
def cued():
    return {
        cue: stacks([1.0] * 100, 17, cue=cue, **CUED) for cue in (None, "no_trajectory", "no_shape", "no_intensity")
    }


def test_no_shape_rests_at_the_mean_position_with_the_same_photons(cued):
    (images, path, _), (plain, whole, _) = cued["no_shape"], cued[None]
    centres = whole.astype(float).mean(axis=2, keepdims=True)
    assert path == pytest.approx(np.broadcast_to(centres, path.shape), abs=1e-6)
    assert (photon_sums(images) == photon_sums(plain)).all()
    assert (images != plain).any()


def test_no_trajectory_stays_at_the_centre_and_keeps_its_shape(cued):
    (images, path, _), (plain, whole, _) = cued["no_trajectory"], cued[None]
    assert path.mean(axis=2) == pytest.approx(0, abs=1e-6)
    inside = whole - whole.astype(float).mean(axis=2, keepdims=True)
    assert path == pytest.approx(inside, abs=1e-6)
    assert (photon_sums(images) == photon_sums(plain)).all()


def test_no_intensity_has_the_same_sum_in_every_frame(cued):
    images, path, _ = cued["no_intensity"]
    assert (photon_sums(images) == 100).all()
    assert (path == cued[None][1]).all()
    sums = photon_sums(cued[None][0])
    deviate(sums.mean(), 100, np.sqrt(100 / sums.size))  # Poisson otherwise
    deviate(sums.var(), 100, np.sqrt((100 + 2 * 100**2) / sums.size))


@pytest.mark.parametrize("cue", ["no_trajectory", "no_shape", "no_intensity"])
def test_a_cued_dataset_has_the_molecules_of_the_whole_one(cue):
    cued, whole = made("test", cue=cue), made("test")
    for (_, a, s), (_, b, t) in zip(cued, whole):
        assert (a["D"] == b["D"]).all()
        assert (s["D_realised"] == t["D_realised"]).all()  # of the molecule, not of what is shown of it


# What is kept, measured, refused


def test_a_path_that_leaves_is_kept_and_flagged():
    images, positions, items = stacks(np.geomspace(0.1, 300, 200), 18, size_px=16, pixel_size_um=0.2)
    outside = ~((positions >= -1.6) & (positions < 1.6)).all(axis=(1, 2, 3))
    assert (items["left_field"] == outside).all() and 0.1 < outside.mean() < 0.9
    gone = images[(np.abs(positions) > 4).any(axis=3).all(axis=2)]  # frames in which it is far away: background alone
    assert len(gone) > 20 and gone.max() < 125


def test_measured_signal_noise_and_contrast():
    _, _, items = stacks([0.01] * 300, 19)
    deviate(items["signal"], 100, 10 / np.sqrt(16))
    dark = np.sqrt(2 + 1 + 1 / 12)
    assert items["noise"].mean() == pytest.approx(dark, rel=0.01)
    assert 10 < items["contrast"].mean() < 25  # the brightest pixel holds 20 to 45 of 100 photons


def test_drawn_parameters():
    _, positions, items = stacks([0.5] * 2000, 20, **{**WIDE, "size_px": 8})
    log = {"photons": (30, 1000), "fwhm_um": (0.1, 0.35)}
    for name, ends in log.items():
        lo, hi = np.log(ends)
        assert stats.kstest(np.log(items[name]), stats.uniform(lo, hi - lo).cdf).pvalue > CHANCE
    for name, (lo, hi) in {"background": (0, 10), "frame_time_s": (0.005, 0.04)}.items():
        assert stats.kstest(items[name], stats.uniform(lo, hi - lo).cdf).pvalue > CHANCE
    frequencies(np.bincount(items["frames"])[4:], np.full(6, 1 / 6))
    assert items["exposure_s"].to_numpy() == pytest.approx(items["frame_time_s"] / 2)
    table = items[["photons", "fwhm_um", "background", "frame_time_s", "frames"]].to_numpy(float)
    normal(np.corrcoef(table.T)[np.triu_indices(5, 1)] * np.sqrt(len(table)))


def test_a_width_known_to_some_accuracy_changes_what_is_told_and_nothing_else():
    psf = {"kind": "gaussian", "fwhm_um": [0.1, 0.35]}
    images, positions, exact = stacks([0.5] * 500, 20, **{**WIDE, "psf": psf})
    other_images, other_positions, told = stacks([0.5] * 500, 20, **{**WIDE, "psf": {**psf, "known_to": 0.2}})
    assert (images == other_images).all() and np.array_equal(positions, other_positions, equal_nan=True)
    pd.testing.assert_frame_equal(exact.drop(columns="fwhm_um"), told.drop(columns="fwhm_um"))
    assert (exact["fwhm_um"] == exact["psf_fwhm_um"]).all()
    normal(np.log(told["fwhm_um"] / told["psf_fwhm_um"]) / 0.2)


def test_drawn_parameters_do_what_they_say():
    spec = {**WIDE, "size_px": 32, "camera": {"quantum_efficiency": 0.7}, "substeps": 4}
    images, positions, items = stacks([0.3] * 200, 21, **spec)
    there = np.arange(9) < items["frames"].to_numpy()[:, None]
    assert (images[~there] == 0).all() and (images[there] > 0).any(axis=(1, 2)).all()
    assert np.isnan(positions[~there]).all() and np.isfinite(positions[there]).all()
    z = []
    for image, path, row in zip(images, positions, items.itertuples()):
        of_item = {**spec, "photons": row.photons, "background": row.background}
        of_item["psf"] = {"kind": "gaussian", "fwhm_um": row.fwhm_um}
        mean, variance, _ = grey_law(expected_photons(path[: row.frames], of_item), imaging(spec)["camera"])
        residual = image[: row.frames] - mean
        z.append(residual.sum() / np.sqrt(variance.sum()))
        bright = mean > mean.max() / 3  # the width of the PSF shows here
        z.append(residual[bright].sum() / np.sqrt(variance[bright].sum()))
        step = np.diff(path[: row.frames, 0], axis=0).ravel()
        z.append(((step**2).mean() / (2 * 0.3 * row.frame_time_s) - 1) / np.sqrt(2 / step.size) / 1.5)
    deviate(np.mean(z), 0, 1 / np.sqrt(len(z)))
    assert np.max(np.abs(z)) < 7


@pytest.mark.parametrize("D", [-0.1, np.nan, np.inf])
def test_an_impossible_D_is_refused_and_told(D):
    with pytest.raises(ValueError, match=rf"D: .* \[{D}\]"):
        photon_stacks([1.0, D], {}, 1)


def test_no_molecule_and_a_single_one():
    images, positions = photon_stacks([], {}, 1)
    assert images.shape == (0, 16, 64, 64) and positions.shape == (0, 16, 10, 2)
    assert photon_stacks(1.0, {}, 1)[0].shape == (1, 16, 64, 64)


def test_a_specification_is_not_changed():
    spec = {"camera": {"gain": 2.0}}
    before = deepcopy(spec)
    assert imaging(spec)["camera"]["offset"] == 100 and spec == before


def test_an_unknown_imaging_parameter_is_refused():
    with pytest.raises(ValueError, match="photon"):
        photon_stacks([1.0], {"photon": 30}, 1)
    with pytest.raises(ValueError, match="readnoise"):
        photon_stacks([1.0], {"camera": {"readnoise": 30}}, 1)


@st.composite
def specifications(draw):
    """Anything that the schema allows, in small."""
    frame_time = draw(st.floats(1e-4, 0.5))
    psf = st.fixed_dictionaries({"kind": st.just("gaussian"), "fwhm_um": st.floats(0.01, 5)})
    psf |= st.fixed_dictionaries(
        {"kind": st.just("airy"), "na": st.floats(0.1, 1.7), "wavelength_um": st.floats(0.1, 2)}
    )
    camera = {
        "quantum_efficiency": st.floats(0.01, 1),
        "gain": st.floats(0.01, 10),
        "offset": st.floats(0, 5000),
        "read_noise": st.floats(0, 10),
        "laplace_noise": st.floats(0, 2),
        "em_gain": st.sampled_from([1.0, 30.0]),
        "saturation": st.integers(5001, 65535),
    }
    return {
        "frames": draw(st.integers(2, 5)),
        "size_px": draw(st.integers(8, 20)),
        "pixel_size_um": draw(st.floats(0.01, 1)),
        "frame_time_s": frame_time,
        "exposure_s": frame_time * draw(st.floats(0.01, 1)),
        "substeps": draw(st.integers(1, 6) | st.just("continuous")),
        "psf": draw(psf),
        "photons": draw(st.floats(0.01, 1000)),
        "background": draw(st.floats(0, 20)),
        "camera": draw(st.fixed_dictionaries(camera)),
        "start_spread_px": draw(st.floats(0, 4)),
    }


@given(specifications(), st.lists(st.floats(0, 1e4), min_size=1, max_size=3), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_specification(spec, D, seed):
    images, positions, items = render(np.array(D), imaging(spec), key(seed))
    again = render(np.array(D), imaging(spec), key(seed))[0]
    assert images.dtype == np.uint16 and images.shape == (len(D), spec["frames"], spec["size_px"], spec["size_px"])
    assert positions.dtype == np.float32 and positions.shape == (len(D), spec["frames"], simulate.moments(spec), 2)
    assert (images == again).all() and images.max() <= spec["camera"]["saturation"]
    assert np.isfinite(positions).all() and (items["D"] == D).all()
    assert (items["signal"] >= 0).all()
    # The noise is that of the dark pixels of the first frame; none are left where photons suffice to light them all.
    could_light_all = items["signal"] * spec["frames"] >= spec["size_px"] ** 2
    assert (np.isfinite(items["noise"]) | could_light_all).all()
