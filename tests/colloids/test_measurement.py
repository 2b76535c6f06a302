"""From a volume to centres and what follows from them: simulated and made-up ones, and two real ones."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml
from recorded_volumes import BLOB, IMAGING, answer, blob, entries, prepared, write

from blurbench.colloids import measurement, physics, simulate
from blurbench.colloids.locating import locate, smoothed
from blurbench.colloids.packing import fitted_box, hard_spheres
from blurbench.files.answers import OK

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared/data/colloids"


def test_a_simulated_volume_is_found_again(tmp_path, predicts):
    """Simulated at twelve voxels a diameter, recorded with gain and offset, prepared at ten."""
    imaging = simulate.imaging({**IMAGING, "diameter_px": 12})
    parameters = {"phi": 0.3, "particle_size_um": 1.0, "cnr": 8.0, "brightness": 200.0}
    image, row, centres, _ = simulate.volume(parameters, imaging, 5, 0)
    recording = write(tmp_path / "a.tif", np.maximum(image - 100.0, 0), voxel_um=3 * [row["voxel_um"]])
    survey, items = prepared(recording, tmp_path)

    def find(method, dataset, model):
        photons = dataset.images[0].astype(float) - 100
        return answer(locate(smoothed(photons, 11), separation=7)[0][0] * dataset.items["voxel_um"][0])

    predicts(find)
    found = measurement.measure(recording, items, survey, entries(any={}), "cpu", 100, 1)
    table = found.methods.iloc[0]
    assert table["phi"] == pytest.approx(row["phi_measured"], rel=0.15)  # some thirty spheres in the inset
    assert table["core_g"] == 0 and table["core_precision"] == 1
    # Details are in the frame of the recording: rms 0.04 d as the facts of this blur have it, bias below half a voxel's
    # shift of frames.
    inside = centres[((centres > 0.75) & (centres < 64 / 12 - 0.75)).all(axis=1)]
    offsets = found.details[["z", "y", "x"]].to_numpy()[None] - inside[:, None]
    nearest = offsets[np.arange(len(inside)), np.linalg.norm(offsets, axis=2).argmin(axis=1)]
    assert np.linalg.norm(nearest, axis=1).max() < 0.25
    assert np.sqrt((nearest**2).mean()) < 0.06


def volume_of(side):
    """What `describe` reads of an item of that side, spheres of 1 µm in ten voxels."""
    items = pd.DataFrame({"particle_size_um": [1.0], "voxel_um": [0.1], "diameter_px": [10.0]})
    return SimpleNamespace(items=items, images=np.zeros((1, *3 * [round(10 * side)]), np.uint8))


@pytest.fixture(scope="module")
def fluid():
    """Centres of a hard-sphere fluid in a cube of 12 µm, spheres of 1 µm, and its volume fraction."""
    phi = 0.3
    box = fitted_box(phi, 12.0, 1.0)
    centres = hard_spheres(phi, box, 1.0, 0)
    return centres[(centres < 12).all(axis=1)] - 0.05, phi  # from the centre of the first voxel


def test_a_fluid_is_described_as_theory_has_it(fluid):
    centres, phi = fluid
    about, r, g = measurement.describe(centres, {}, volume_of(12))
    assert about["n"] == len(centres) and about["n_inset"] < len(centres)
    assert about["phi"] == pytest.approx(phi, rel=0.05)  # √S(0) of 660 spheres is 1.2 %
    assert about["core_g"] == 0 and about["core_precision"] == 1
    # The highest bin is the mean of the steep fall from contact over a tenth of a diameter, of some 600 pairs.
    fine = np.linspace(1, 1.1, 101)
    assert g[np.searchsorted(r, 1.05 - 1e-9)] == pytest.approx(np.mean(physics.percus_yevick_g(fine, phi)), rel=0.12)
    assert about["peak_r_d"] == pytest.approx(1.05, abs=0.05)
    assert 1 < about["neighbour_d"] < 1.15
    assert g[r > 2.5] == pytest.approx(1, abs=0.15)


def test_false_centres_show_in_the_core(fluid):
    centres, _ = fluid
    false = np.random.default_rng(0).uniform(-0.05, 11.95, (round(len(centres) * 3 / 7), 3))
    about, *_ = measurement.describe(np.concatenate([centres, false]), {}, volume_of(12))
    assert about["core_precision"] == pytest.approx(0.7, abs=0.05)  # some 300 pairs in the core: 3 % of 1 - P²
    assert about["core_g"] == pytest.approx(1 - about["core_precision"] ** 2)


def test_the_inset_is_the_recordings(fluid):
    centres, phi = fluid
    visible = centres[((centres > 1.45) & (centres < 10.45)).all(axis=1)]  # a finder blind within 1.5 d of the faces
    assert measurement.describe(visible, {"inset_d": 1.5}, volume_of(12))[0]["phi"] == pytest.approx(phi, rel=0.07)
    assert measurement.describe(visible, {"inset_d": 0.5}, volume_of(12))[0]["phi"] < 0.7 * phi


@pytest.mark.parametrize("n", [0, 1])
def test_next_to_nothing_found_is_no_number(n):
    about, _, g = measurement.describe(np.full((n, 3), 5.0), {}, volume_of(12))
    assert about["n"] == about["n_inset"] == n and about["phi"] == pytest.approx(n * np.pi / 6 / 10.5**3)
    assert np.isnan([about[key] for key in ("peak_g", "core_g", "core_precision", "neighbour_d")]).all()
    assert np.isnan(g).all()


def test_centres_are_told_in_the_recordings_frame(tmp_path, predicts):
    recording = write(tmp_path / "a.tif", blob())
    survey, items = prepared(recording, tmp_path)

    def find(method, dataset, model):
        light = dataset.images[0].astype(float) - 100
        return answer([np.array([(light * g).sum() for g in np.indices(light.shape)]) / light.sum() * 0.1])

    predicts(find)
    found = measurement.measure(recording, items, survey, entries(any={}), "cpu", 100, 1)
    # Whole grey values cut off tails of which half a photon is left, on one side more than on the other.
    assert found.details[["z", "y", "x"]].to_numpy()[0] == pytest.approx(BLOB, abs=0.01)


def test_numbers_are_means_over_training_seeds(tmp_path, predicts):
    recording = write(tmp_path / "a.tif", blob())
    survey, items = prepared(recording, tmp_path)
    points = {"one.pt": [[2, 2, 2]], "two.pt": [[2, 2, 2], [2, 2, 3.1]], "none.pt": []}
    predicts(lambda method, dataset, model: answer(points[model], "why not" if method == "lost" else OK))
    used = entries(net={1: "one.pt", 3: "two.pt"}, empty={1: "none.pt"}, lost={1: "none.pt"})
    found = measurement.measure(recording, items, survey, used, "cpu", 100, 1)
    table = found.methods.set_index("method")
    assert table["n"].tolist()[:2] == [1.5, 0] and pd.isna(table["n"]["lost"])
    assert table["n_seeds"].tolist() == [2, 1, 1] and table["status"].tolist() == ["ok", "ok", "why not"]
    assert (table["seconds"] == 0.5).all()
    assert found.details.groupby("seed").size().to_dict() == {1: 1, 3: 2}
    assert set(found.reference["method"]) == {"net", "empty", "lost"}
    measurement.draw(tmp_path / "a.svg", recording, items, survey, found)
    text = (tmp_path / "a.svg").read_text()
    assert "net, n = 2" in text and "empty, n = 0" in text and "lost, failed" in text and "1 µm" in text


def real(name):
    """Entry of config/confocal.yaml; skips where the file is not beside the repository."""
    recording = yaml.safe_load((ROOT / "config/confocal.yaml").read_text())["recordings"][name]
    file = SHARED / Path(recording["file"]).name
    if not file.exists():
        pytest.skip(f"the volume {file.name} is not beside the repository")
    return {**recording, "file": str(file)}


@pytest.mark.parametrize(
    # Nominal volume fractions of the samples, which are no truth of these pieces of them; what one size of sphere and
    # an inferred voxel are good for is a third.
    ("name", "phi"),
    [("katherine", 0.2), ("abraham", 0.64)],
)
def test_real_volumes(tmp_path, predicts, name, phi):
    recording = real(name)
    survey, items = prepared(recording, tmp_path)
    predicts(
        lambda method, dataset, model: answer(
            locate(smoothed(dataset.images[0].astype(float) - 100, 11, noise_size=1.5), separation=7)[0][0]
            * dataset.items["voxel_um"][0]
        )
    )
    found = measurement.measure(recording, items, survey, entries(any={}), "cpu", 100, 1)
    table = found.methods.iloc[0]
    assert 0.67 < table["phi"] / phi < 1.5
    assert table["core_precision"] > 0.9
    assert 0.8 < table["neighbour_d"] < 1.2
