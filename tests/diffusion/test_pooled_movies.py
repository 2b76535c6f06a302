"""Several movies of one sample as one recording: what is each movie's own stays so, and the answers are of all."""

import numpy as np
import pandas as pd
import pytest
import tifffile
from beads import RECORDING, SPEC, D, write_movie
from configurations import layers
from films import CALIBRATION, write_film

from blurbench.diffusion import measurement, movies, preparation, tracking
from blurbench.diffusion.ensemble_msd import ensemble_msd
from blurbench.diffusion.track_resampling import movie_of
from blurbench.files.datasets import Dataset
from blurbench.microscopy.recording_error import RecordingError
from blurbench.planning import units
from blurbench.planning.configuration import expand

METHODS = {
    name: {"method": method, "kind": "classical", "options": options, "models": {}}
    for name, method, options in (("cve", "cve", {}), ("width_and_path", "width_and_path", {"answer": "mean"}))
}


def prepared(entry, spec, folder):
    folder.mkdir()
    spots = preparation.prepare(entry, spec, folder / "items.zarr", folder / "items.json")
    return spots, Dataset.open(folder / "items.zarr")


@pytest.fixture(scope="module")
def pooled(tmp_path_factory):
    """Movies of 9 bright and of 25 dimmer molecules of D 1: entry, spots and stacks, and those of each by itself."""
    folder = tmp_path_factory.mktemp("pooled")
    spec = units.spec(expand(layers("config", "laptop")), "diffusion", "report", "test")
    films = [write_film(folder / f"{k}.tif", 1.0, 100 + 50 * k, columns, seed=k) for k, columns in ((1, 3), (0, 5))]
    films = [{**film, "psf": {"kind": "gaussian", "fwhm_um": 0.25}} for film in films]
    alone = [prepared(film, spec, folder / f"alone_{k}") for k, film in enumerate(films)]
    entry = {**films[0], "file": [film["file"] for film in films]}
    return entry, *prepared(entry, spec, folder / "both"), alone


@pytest.fixture(scope="module")
def found(pooled):
    entry, spots, stacks, _ = pooled
    return measurement.measure({**entry, "D_um2_s": 1.0}, stacks, spots, METHODS, "cpu", 200, 1)


def test_the_stacks_are_those_of_both(pooled):
    _, spots, stacks, alone = pooled
    images = np.concatenate([one.images[:] for _, one in alone])
    np.testing.assert_array_equal(stacks.images[:], images)
    assert len(alone[1][1]) > 2 * len(alone[0][1]) > 30
    assert stacks.items["particle"].nunique() == sum(one.items["particle"].nunique() for _, one in alone)
    assert spots["particle"].nunique() == sum(one["particle"].nunique() for one, _ in alone)
    assert stacks.spec["pieces"]["cut"] == len(stacks)


def test_details_say_of_which_movie_an_answer_is(pooled, found):
    entry, _, _, alone = pooled
    counts = found.details[found.details["method"] == "cve"]["file"].value_counts()
    assert counts.to_dict() == {file: len(one) for file, (_, one) in zip(entry["file"], alone)}
    first = found.details[found.details["file"] == entry["file"][1]].iloc[0]
    pixel = entry["pixel_size_um"]
    assert [first["y_um"], first["x_um"]] == pytest.approx((alone[1][1].items.loc[0, ["y", "x"]] * pixel).tolist())


def test_the_answers_are_of_all_molecules(pooled, found):
    """34 molecules of three stacks each: SE of the medians some 4 %, of the ensemble's some 8 %."""
    _, _, stacks, _ = pooled
    table = found.methods.set_index("method")
    for name in METHODS:
        assert table.loc[name, "D"] == pytest.approx(1.0, rel=0.15) and table.loc[name, "known_inside"], name
        assert table.loc[name, ["n_stacks", "n_tracks"]].tolist() == [len(stacks), stacks.items["particle"].nunique()]
    assert table.loc["ensemble_msd", "D"] == pytest.approx(1.0, rel=0.25)
    assert table["remark"].iloc[0].startswith("intervals are those of these 2 movies alone")


def test_the_reference_has_each_movie_by_itself(pooled, found):
    entry, spots, _, alone = pooled
    each = found.reference[found.reference["quantity"] == "D_linear_of_movie"].set_index("file")
    assert each.index.tolist() == entry["file"]
    assert each["n_tracks"].tolist() == [one[one["kept"]]["particle"].nunique() for one, _ in alone]
    of_all = found.reference.set_index("quantity").loc["D_linear"]
    assert of_all["n_tracks"] == each["n_tracks"].sum() and each["value"].min() < of_all["value"] < each["value"].max()


def test_the_picture_is_of_the_first_movie(pooled, found, tmp_path):
    entry, spots, stacks, alone = pooled
    measurement.draw(tmp_path / "a.svg", entry, stacks, spots, found)
    tracks = alone[0][1].items["particle"].nunique()
    assert f"{tracks} tracks, D by cve, 1.tif" in (tmp_path / "a.svg").read_text()


def test_each_movie_drifts_for_itself(tmp_path):
    """One drifts there and one back: together they would not drift at all, and D would be three times what it is."""
    for name, sign in (("there", 1), ("back", -1)):
        write_movie(tmp_path / f"{name}.tif", drift=(0.4 * sign, 0.3 * sign))
    entry = {**RECORDING, "file": [str(tmp_path / f"{name}.tif") for name in ("there", "back")]}
    subtract = {**entry, "tracking": {**entry["tracking"], "subtract_drift": True}}
    spots, stacks = prepared(subtract, SPEC, tmp_path / "subtracted")
    table = measurement.measure(subtract, stacks, spots, {"cve": METHODS["cve"]}, "cpu", 100, 1).methods
    assert table["D"].to_numpy() == pytest.approx([D, D], rel=0.3)
    _, stacks = prepared(entry, SPEC, tmp_path / "left")
    for file in entry["file"]:
        assert sum(remark.startswith(f"{file}: the tracks drift together") for remark in stacks.spec["remarks"]) == 1


def beads(folder, *names):
    for name in names:
        write_movie(folder / name)
    return {**RECORDING, "psf": SPEC["imaging"]["psf"], "file": [str(folder / name) for name in names]}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda grey: grey[:10], "b.tif: file: found a movie of shape .*, expected at least 20 frames"),
        (lambda grey: np.where(np.arange(len(grey))[:, None, None] == 41, np.nan, grey), "b.tif: frame 41: .* NaN"),
        (None, "b.tif: frame_time_s: found 0.04 in the configuration, expected 0.05 as in the file's own metadata"),
    ],
)
def test_a_wrong_movie_is_refused_before_any_is_tracked(tmp_path, monkeypatch, damage, message):
    entry = beads(tmp_path, "a.tif", "b.tif")
    grey = tifffile.imread(tmp_path / "b.tif")
    if damage:
        tifffile.imwrite(tmp_path / "b.tif", damage(grey).astype(np.float32), photometric="minisblack")
    else:
        tifffile.imwrite(tmp_path / "b.tif", grey, imagej=True, metadata={"axes": "TYX", "finterval": 0.05})
    monkeypatch.setattr(tracking, "find", lambda *_: pytest.fail("tracked before all movies were judged"))
    with pytest.raises(RecordingError, match=message):
        preparation.prepare(entry, SPEC, tmp_path / "items.zarr", tmp_path / "items.json")


def test_a_movie_without_a_molecule_is_left_out_and_named(tmp_path):
    entry = beads(tmp_path, "a.tif", "b.tif", "c.tif")
    noise = np.random.default_rng(0).poisson(20, (42, 136, 136))
    tifffile.imwrite(tmp_path / "b.tif", (2 * noise + 100).astype(np.uint16), photometric="minisblack")
    spots, stacks = prepared(entry, SPEC, tmp_path / "two")
    assert spots["movie"].unique().tolist() == [0, 2]
    assert [stacks.spec["files"][k] for k in np.unique(stacks.items["file"])] == [entry["file"][0], entry["file"][2]]
    assert [r for r in stacks.spec["remarks"] if "nothing measured" in r and entry["file"][1] in r]
    with pytest.raises(RecordingError, match="b.tif: tracking"):
        movies.cut({**entry, "file": [entry["file"][1]] * 2}, SPEC["imaging"])


def walks(tracks, frames, scale, movie, first, seed):
    """Brownian tracks of one movie, steps of SD `scale` pixels per axis."""
    path = scale * np.cumsum(np.random.default_rng(seed).normal(size=(tracks, frames, 2)), axis=1)
    particle, frame = np.indices((tracks, frames)).reshape(2, -1)
    y, x = path.reshape(-1, 2).T
    return pd.DataFrame({"particle": particle + first, "frame": frame, "y": y, "x": x, "kept": True, "movie": movie})


def told(*scales, seed=0):
    parts = [walks(20, 60, scale, k, 20 * k, seed * 100 + k) for k, scale in enumerate(scales)]
    entry = {**CALIBRATION, "file": [f"{k}.tif" for k in range(len(scales))]}
    return movies.differ(movies.D_of_each(pd.concat(parts), entry, 200, 1))


def test_movies_that_are_not_of_one_D_are_named():
    remark, few = told(1.0, 1.0, 1.6)
    assert "the movies are not of one D" in remark and "um2/s in 2.tif" in remark
    assert few.startswith("intervals are those of these 3 movies alone: from 5 on")
    alike = [told(*5 * [1.0], seed=seed) for seed in range(20)]
    assert sum(map(len, alike)) <= 2  # at a level of 1 %


def of_a_sample(movies, seed):
    """Tracks of movies whose ln D differ by an SD of 0.2 about that of the sample, 1; the number of each's movie."""
    ln_D = 0.2 * np.random.default_rng([seed, movies]).normal(size=movies)
    step = np.sqrt(2 * np.exp(ln_D) * CALIBRATION["frame_time_s"]) / CALIBRATION["pixel_size_um"]
    return pd.concat([walks(20, 30, step[k], k, 20 * k, 1000 * seed + k) for k in range(movies)])


def holds(spots, seed):
    """Whether the intervals of D, of the ensemble and of the median of exact answers, hold that of the sample."""
    ensemble = ensemble_msd(spots, CALIBRATION, 200, seed)
    tracks = spots.groupby("particle")[["y", "x"]].agg(lambda path: (path.diff() ** 2).mean()).sum(axis=1)
    D = tracks * CALIBRATION["pixel_size_um"] ** 2 / (4 * CALIBRATION["frame_time_s"])
    answers = D.rename("D").reset_index().assign(method="any", kind="classical", bound="", outside="", status="ok")
    answers = answers.assign(D_narrower=answers["D"], D_wider=answers["D"])
    table = measurement.summarise(answers, ensemble, resamples=200, seed=seed, movie=movie_of(spots))
    return [low < 1 < high for low, high in zip(table["ci_low"], table["ci_high"])]


def test_intervals_of_many_movies_hold_how_they_differ():
    """Of 95 %: over tracks they held the sample's D in 53 to 59 cases of 100 (simulated, 400 times)."""
    found = np.array([holds(of_a_sample(5, seed), seed) for seed in range(60)])
    assert (found.mean(axis=0) > 0.86).all()  # but for three SDs of 60 cases
    over_tracks = np.array([holds(of_a_sample(5, seed).drop(columns="movie"), seed) for seed in range(60)])
    assert (over_tracks.mean(axis=0) < 0.75).all()


def test_intervals_of_few_movies_are_over_tracks():
    spots = of_a_sample(4, 1)
    alone = ensemble_msd(spots.drop(columns="movie"), CALIBRATION, 200, 1)
    pd.testing.assert_frame_equal(ensemble_msd(spots, CALIBRATION, 200, 1), alone)


def test_one_movie_in_a_list_is_one_movie(tmp_path):
    entry = beads(tmp_path, "a.tif")
    spots, stacks = prepared(entry, SPEC, tmp_path / "list")
    plain, same = prepared({**entry, "file": entry["file"][0]}, SPEC, tmp_path / "plain")
    pd.testing.assert_frame_equal(spots, plain)
    np.testing.assert_array_equal(stacks.images[:], same.images[:])
    assert "files" not in stacks.spec and "file" not in stacks.items and "movie" not in spots
