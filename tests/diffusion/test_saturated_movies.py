"""Movies whose brightest spots are cut off at a grey value below the largest of the file's pixel type."""

import numpy as np
import pytest
import tifffile
from films import write_film

from blurbench.diffusion import tracking
from blurbench.diffusion.movie import open_movie
from blurbench.microscopy.recording_error import RecordingError

IMAGING = {"frames": 16, "size_px": 64, "pixel_size_um": 0.2, "frame_time_s": 0.01, "exposure_s": 0.01}
IMAGING["camera"] = {"quantum_efficiency": 1.0, "gain": 1.0, "offset": 100, "em_gain": 1.0, "saturation": 65535}


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Entries of a movie of 800 photons per spot on the left and 100 on the right, and the same cut off at 180 ADU."""
    folder = tmp_path_factory.mktemp("films")
    entry = write_film(folder / "bright.tif", 1.0, 800, columns=2)
    write_film(folder / "dim.tif", 1.0, 100, columns=2)
    whole = np.concatenate([tifffile.imread(folder / f"{name}.tif") for name in ("bright", "dim", "dim")], axis=2)
    for name, movie in (
        ("whole", whole),
        ("cut", np.minimum(whole, 180)),
        ("bright_cut", np.minimum(whole[..., :168], 180)),
    ):
        tifffile.imwrite(folder / f"{name}.tif", movie, photometric="minisblack")
    return {name: {**entry, "file": str(folder / f"{name}.tif")} for name in ("whole", "cut", "bright_cut")}


def cut(entry):
    movie = open_movie(entry)
    return movie, *tracking.cut(movie, tracking.find(movie, entry["tracking"], 16), IMAGING)


def test_a_movie_that_ends_in_a_tail_keeps_its_stacks(films):
    movie, _, items, counts = cut(films["whole"])
    assert movie.ceiling is None and counts["saturated"] == 0 and (items["x"] < 168).any()


def test_saturated_stacks_are_left_out(films):
    movie, _, items, counts = cut(films["cut"])
    assert movie.ceiling.value == 180
    assert counts["saturated"] > 6 and counts["cut"] == len(items) and (items["x"] > 168).all()


def test_a_movie_is_refused_most_of_whose_stacks_are_saturated(films):
    with pytest.raises(RecordingError, match="bright_cut.tif: file: found grey values pile up at 180 ADU .*, expected"):
        cut(films["bright_cut"])
