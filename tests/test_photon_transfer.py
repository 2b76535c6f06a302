"""Gain and offset of a known detector, from noise in time and in space."""

import numpy as np
import pytest
import tifffile

from blurbench.microscopy.frames import read
from blurbench.microscopy.photon_transfer import photon_transfer, pixel_statistics, spatial_transfer
from blurbench.microscopy.recording_error import RecordingError


def camera_movie(path, electrons, gain, offset, read_noise=1.5, frames=40):
    rng = np.random.default_rng(1)
    movie = gain * (
        rng.poisson(electrons, (frames, *electrons.shape)) + rng.normal(0, read_noise, (frames, *electrons.shape))
    )
    tifffile.imwrite(path, np.clip(np.rint(movie + offset), 0, 65535).astype(np.uint16), photometric="minisblack")
    return read(path)


def test_photon_transfer(tmp_path):
    electrons = np.tile(np.linspace(20, 400, 128), (96, 1))
    movie = camera_movie(tmp_path / "wide.tif", electrons, 2.2, 100)
    found = photon_transfer(movie)
    assert found.gain == pytest.approx(2.2, rel=0.05)
    # Read noise counts as light: it lowers the offset by gain x 1.5² = 5 ADU.
    assert found.offset == pytest.approx(100 - 2.2 * 1.5**2, abs=6)
    assert photon_transfer(movie, "estimate", 95.0).gain == pytest.approx(2.2, rel=0.05)
    assert photon_transfer(movie, 2.2, "estimate").offset == pytest.approx(95, abs=3)
    assert photon_transfer(movie, 3, 4) == (3, 4, "given")


def test_photon_transfer_ignores_what_moves(tmp_path):
    electrons = np.tile(np.linspace(20, 400, 128), (96, 1))
    movie = camera_movie(tmp_path / "still.tif", electrons, 2.2, 100)
    frames = np.array([movie[i] for i in range(len(movie))])
    for i in range(len(frames)):
        frames[i, 10:40, 2 * i : 2 * i + 20] += 500
    tifffile.imwrite(tmp_path / "moving.tif", frames)
    assert photon_transfer(read(tmp_path / "moving.tif")).gain == pytest.approx(2.2, rel=0.05)


def test_photon_transfer_of_little_range_is_a_slope(tmp_path):
    movie = camera_movie(tmp_path / "flat.tif", np.full((64, 64), 900.0), 0.5, 0)
    with pytest.raises(RecordingError, match="flat.tif: offset: found 'estimate', and resting grey values of 44"):
        photon_transfer(movie)
    assert photon_transfer(movie, "estimate", 0.0).gain == pytest.approx(0.5, rel=0.05)


def test_photon_transfer_refuses(tmp_path):
    movie = camera_movie(tmp_path / "short.tif", np.full((64, 64), 50.0), 1, 0, frames=4)
    with pytest.raises(RecordingError, match="gain: found 'estimate' with 4 frames"):
        photon_transfer(movie)
    tifffile.imwrite(tmp_path / "dead.tif", np.full((10, 20, 20), 7, np.uint8))
    with pytest.raises(RecordingError, match="gain: found 0 pixels with noise"):
        photon_transfer(read(tmp_path / "dead.tif"))


def volume_of_spots(gain, offset, top=65535):
    """Poisson light of smooth spots, sigma 4 pixels, on a gentle slope, ADU."""
    rng = np.random.default_rng(3)
    z, y, x = np.mgrid[:20, :96, :96]
    spots = np.exp(-((y % 24 - 12) ** 2 + (x % 24 - 12) ** 2) / 32)
    return np.clip(np.rint(gain * rng.poisson(20 + x + 150 * spots) + offset), 0, top)


def test_spatial_transfer():
    grey = volume_of_spots(2.2, 30).astype(np.uint16)
    found = spatial_transfer(grey, "a.tif")
    assert found.gain == pytest.approx(2.2, rel=0.05)
    assert found.offset == pytest.approx(30, abs=8)
    assert spatial_transfer(grey, "a.tif", "estimate", 30.0).gain == pytest.approx(2.2, rel=0.03)
    assert spatial_transfer(grey, "a.tif", 2.2, "estimate").offset == pytest.approx(30, abs=4)
    assert spatial_transfer(grey, "a.tif", 3, 4) == (3, 4, "given")


def test_spatial_transfer_leaves_saturated_pixels_out():
    """A third of the bright half is cut off at 255; taken in, it would have no noise and make the line bend down."""
    cut = volume_of_spots(1.5, 0, 255).astype(np.uint8)
    assert 0.02 < (cut == 255).mean() < 0.3
    assert spatial_transfer(cut, "a.tif", "estimate", 0.0).gain == pytest.approx(1.5, rel=0.1)


def test_spatial_transfer_refuses():
    with pytest.raises(RecordingError, match="a.tif: gain: found 'estimate' and a volume without noise"):
        spatial_transfer(np.full((4, 20, 20), 7, np.uint8), "a.tif")
    with pytest.raises(RecordingError, match="no noise that grows with the grey value above the offset of 900"):
        spatial_transfer(volume_of_spots(1, 0).astype(np.uint16), "a.tif", "estimate", 900.0)


def test_pixel_statistics(tmp_path):
    movie = np.random.default_rng(0).integers(0, 4000, (12, 20, 30)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "m.tif", movie)
    pixels = pixel_statistics(read(tmp_path / "m.tif"))
    np.testing.assert_allclose(pixels.mean, movie.mean(axis=0))
    np.testing.assert_allclose(pixels.variance, movie.var(axis=0, ddof=1))
    np.testing.assert_allclose(pixels.noise, (np.diff(movie.astype(float), axis=0) ** 2).mean(axis=0) / 2)
