"""A folder of stacks, one molecule in each, as they are cut out and exchanged."""

import numpy as np
import pytest
import tifffile
from configurations import layers
from films import CALIBRATION

from blurbench.diffusion import measurement, preparation
from blurbench.diffusion.movie import frames_of
from blurbench.diffusion.simulate import photon_stacks
from blurbench.files.datasets import Dataset
from blurbench.microscopy.mosaic import MARGIN, read_stacks
from blurbench.microscopy.recording_error import RecordingError
from blurbench.planning import units
from blurbench.planning.configuration import expand

SLOW, FAST, N = 0.2, 2.0, 100
TRACKING = {"diameter_px": 7, "minmass": "auto", "search_range_px": 8, "memory": 3, "subtract_drift": False}
PSF = {"kind": "gaussian", "fwhm_um": 0.25}
METHODS = {
    "cve": {"method": "cve", "options": {}},
    "mle_known": {"method": "mle", "options": {"localisation_error": "known"}},
    "width_and_path": {"method": "width_and_path", "options": {"answer": "mean"}},
}


def write(folder, stacks):
    folder.mkdir()
    for k, stack in enumerate(stacks):
        tifffile.imwrite(folder / f"molecule_{k}.tif", stack, imagej=True, metadata={"axes": "TYX"})
    return {**CALIBRATION, "problem": "diffusion", "dataset": "report", "file": str(folder), "stacks": True,
            "polarity": "bright", "tracking": TRACKING, "psf": PSF}  # fmt: skip


@pytest.fixture(scope="module")
def spec():
    """Entry of the dataset whose models apply."""
    return units.spec(expand(layers("config", "laptop")), "diffusion", "report", "test")


@pytest.fixture(scope="module")
def measured(tmp_path_factory, spec):
    """A recording of two populations, its stacks, and what the methods find in them."""
    folder = tmp_path_factory.mktemp("cut")
    images, _ = photon_stacks(np.repeat([SLOW, FAST], N), {**spec["imaging"], "photons": 100}, "cut stacks")
    entry = write(folder / "stacks", images)
    spots = preparation.prepare(entry, spec, folder / "items.zarr", folder / "items.json")
    stacks = Dataset.open(folder / "items.zarr")
    methods = {name: {**entry, "kind": "classical", "models": {}} for name, entry in METHODS.items()}
    return entry, spots, stacks, measurement.measure(entry, stacks, spots, methods, "cpu", 200, 1)


def test_each_population_has_its_D(measured):
    """Within the bar of 10 %: SEs of medians of 100 stacks of 15 steps are 3 to 4 %."""
    table = measured[3].methods.set_index(["method", "population"])
    for name in METHODS:
        assert table.loc[(name, "slow"), "D"] == pytest.approx(SLOW, rel=0.1), name
        assert table.loc[(name, "fast"), "D"] == pytest.approx(FAST, rel=0.1), name


def test_answers_stand_beside_the_files_they_are_of(measured):
    _, _, stacks, found = measured
    of_cve = found.details[found.details["method"] == "cve"]
    number = of_cve["file"].str.extract(r"molecule_(\d+)\.tif")[0].astype(int)
    assert len(of_cve) >= 0.9 * 2 * N and number.is_unique
    assert of_cve["D"][number >= N].median() > 5 * of_cve["D"][number < N].median()
    size = stacks.images.shape[-1] * CALIBRATION["pixel_size_um"]
    assert of_cve[["y_um", "x_um"]].to_numpy() == pytest.approx(size / 2, abs=3)  # all begin in the middle


def test_the_picture_shows_them_side_by_side(measured, tmp_path):
    entry, spots, stacks, found = measured
    measurement.draw(tmp_path / "a.svg", entry, stacks, spots, found)
    assert "tracks, D by cve" in (tmp_path / "a.svg").read_text()


@pytest.mark.parametrize("n", [1, 6, 7, 12])
def test_a_mosaic_holds_every_stack_once(n, tmp_path):
    stacks = np.random.default_rng(n).integers(0, 999, (n, 5, 24, 20), dtype=np.uint16)
    movie = read_stacks(write(tmp_path / "stacks", stacks)["file"])
    shown = np.stack([movie[i] for i in range(len(movie))])
    assert shown[0].size == n * (24 + 2 * MARGIN) * (20 + 2 * MARGIN)
    corners = [(k // movie.across * movie.tile[0], k % movie.across * movie.tile[1]) for k in range(n)]
    for k, (y, x) in enumerate(np.add(corners, MARGIN)):
        np.testing.assert_array_equal(shown[:, y : y + 24, x : x + 20], stacks[k])
        number, place = movie.places(np.array([[y + 3.0, x + 4.5]]))
        assert number.tolist() == [k] and place.tolist() == [[3.0, 4.5]]


def test_folders_of_stacks_are_pooled(tmp_path, spec):
    images, _ = photon_stacks(np.full(24, SLOW), {**spec["imaging"], "photons": 100}, "pooled stacks")
    entries = [write(tmp_path / name, part) for name, part in (("a", images[:8]), ("b", images[8:]))]
    entry = {**entries[0], "file": [one["file"] for one in entries]}
    preparation.prepare(entry, spec, tmp_path / "items.zarr", tmp_path / "items.json")
    stacks = Dataset.open(tmp_path / "items.zarr")
    names = [stacks.spec["files"][k] for k in stacks.items["file"]]
    assert len(set(names)) == len(names) >= 20
    middle, steps = (
        np.s_[:, 8:-8, 8:-8],
        range(-6, 7),
    )  # the window lies about the molecule, not about the stack's middle
    for name, image in zip(names, stacks.images[:]):
        own = tifffile.imread(name)
        moved = (np.roll(own, (dy, dx), axis=(1, 2))[middle] for dy in steps for dx in steps)
        assert max(np.corrcoef(one.ravel(), image[middle].ravel())[0, 1] for one in moved) > 0.98, name


def test_what_is_no_folder_of_stacks_is_refused(tmp_path):
    stacks = np.full((3, 5, 24, 20), 100, np.uint16)
    entry = write(tmp_path / "stacks", stacks)
    with pytest.raises(RecordingError, match="subtract_drift: found true, and stacks that were cut already"):
        frames_of({**entry, "tracking": {**TRACKING, "subtract_drift": True}})
    tifffile.imwrite(tmp_path / "stacks/molecule_3.tif", stacks[0, :4], imagej=True, metadata={"axes": "TYX"})
    with pytest.raises(RecordingError, match=r"molecule_3.tif: shape: found \(4, 24, 20\), expected \(5, 24, 20\)"):
        frames_of(entry)
    with pytest.raises(RecordingError, match="no folder, expected a folder of stacks"):
        frames_of({**entry, "file": str(tmp_path / "stacks/molecule_0.tif")})
    with pytest.raises(RecordingError, match="5 frames.*stacks: true|stacks: true"):
        frames_of({key: value for key, value in entry.items() if key != "stacks"})
