"""A movie in photons with its spots as peaks, bright ones and dark ones."""

import numpy as np
import pytest
import tifffile

from blurbench.diffusion.movie import Movie
from blurbench.microscopy.recording_error import RecordingError

CALIBRATION = {
    "pixel_size_um": 0.2,
    "frame_time_s": 0.05,
    "exposure_s": 0.05,
    "gain": 2.0,
    "offset": 100.0,
    "polarity": "bright",
}


@pytest.fixture
def movie():
    return np.random.default_rng(0).integers(0, 4000, (12, 20, 30)).astype(np.uint16)


def test_calibration_inside_the_file_must_agree(tmp_path, movie):
    about = {"axes": "TYX", "PhysicalSizeX": 200, "PhysicalSizeXUnit": "nm"}
    about |= {"TimeIncrement": 50, "TimeIncrementUnit": "ms"}
    tifffile.imwrite(tmp_path / "a.ome.tif", movie, ome=True, metadata=about)
    spec = {**CALIBRATION, "file": str(tmp_path / "a.ome.tif")}
    Movie(spec, 8)
    with pytest.raises(RecordingError, match="a.ome.tif: pixel_size_um: found 0.21 .*expected 0.2 "):
        Movie({**spec, "pixel_size_um": 0.21}, 8)
    with pytest.raises(RecordingError, match="frame_time_s: found 0.06 .*expected 0.05 "):
        Movie({**spec, "frame_time_s": 0.06}, 8)
    known_better = Movie({**spec, "frame_time_s": 0.06, "calibration": "mine"}, 8)
    assert len(known_better) == len(movie)


def test_pixels_that_are_not_square_are_refused(tmp_path, movie):
    about = {"axes": "TYX", "PhysicalSizeX": 0.2, "PhysicalSizeY": 0.3}
    tifffile.imwrite(tmp_path / "a.ome.tif", movie, ome=True, metadata=about)
    with pytest.raises(RecordingError, match="a.ome.tif: pixel_size_um: found 0.2 .*expected 0.3 "):
        Movie({**CALIBRATION, "file": str(tmp_path / "a.ome.tif")}, 8)


@pytest.mark.parametrize(("scale", "offset"), [(1, 500.0), (1, 150.0), (1 / 4096, 100.0)])
def test_an_offset_above_the_background_is_refused(tmp_path, scale, offset):
    """A unit mixed up, a guess, grey values that were divided by 4096 on export; 2 photons a pixel above 100 ADU."""
    light = np.random.default_rng(3).poisson(2, (12, 20, 30)) + 100
    grey = light.astype(np.uint16) if scale == 1 else (light * scale).astype(np.float32)
    tifffile.imwrite(tmp_path / "m.tif", grey)
    spec = {**CALIBRATION, "file": str(tmp_path / "m.tif"), "gain": 1.0}
    with pytest.raises(RecordingError, match="m.tif: offset: found .* ADU, expected a dark level, at most"):
        Movie({**spec, "offset": offset}, 8)
    if scale == 1:
        Movie({**spec, "offset": 103.0}, 8)  # within what a pixel fluctuates


def test_bright_spots_stay_as_they_are_in_photons(tmp_path, movie):
    tifffile.imwrite(tmp_path / "m.tif", movie)
    found = Movie({**CALIBRATION, "file": str(tmp_path / "m.tif")}, 8)
    np.testing.assert_allclose(found.photons(3), (movie[3] - 100.0) / 2, rtol=1e-4, atol=1e-2)


def test_dark_spots_become_peaks_on_a_background_of_the_same_noise(tmp_path):
    rng = np.random.default_rng(2)
    field = np.full((64, 64), 400.0)
    field[30:33, 30:33] -= 150  # a dark spot
    tifffile.imwrite(tmp_path / "m.tif", np.rint(3 * rng.poisson(field, (50, 64, 64)) + 20).astype(np.uint16))
    spec = {**CALIBRATION, "file": str(tmp_path / "m.tif"), "polarity": "dark", "gain": 3.0, "offset": 20.0}
    found = Movie(spec, 32)
    stack = np.array([found.photons(i) for i in range(50)])
    assert found.level == pytest.approx(400, rel=0.05)  # shot noise: variance 400 for a field of 400 photons
    assert stack[:, 30:33, 30:33].mean() == pytest.approx(550, rel=0.03)
    assert np.median(stack) == pytest.approx(400, rel=0.05)


def test_a_shifted_frame_keeps_its_noise(tmp_path):
    """By a fraction of a pixel: an interpolation would smooth the noise, and methods would be told too much of it."""
    rng = np.random.default_rng(4)
    y, x = np.mgrid[:64, :64]
    spot = 500 * np.exp(-((y - 30) ** 2 + (x - 33) ** 2) / (2 * 1.2**2))
    tifffile.imwrite(tmp_path / "m.tif", (rng.poisson(50 + spot, (10, 64, 64)) + 100).astype(np.uint16))
    found = Movie({**CALIBRATION, "file": str(tmp_path / "m.tif"), "gain": 1.0}, 48)
    moved = np.array([found.photons(i, (0.5, -0.3)) for i in range(10)])
    ground = np.hypot(y - 30, x - 33) > 12
    assert moved[:, ground].var() == pytest.approx(50, rel=0.05)
    light = np.clip(moved.mean(axis=0) - 50, 0, None) * (np.hypot(y - 30, x - 33) < 6)
    centre = [(light * axis).sum() / light.sum() for axis in (y, x)]
    assert centre == pytest.approx([30.5, 32.7], abs=0.05)
