"""Maxima of Wiener's estimates, what is said of each, and the boosting that tells which are spheres."""

import numpy as np
import pytest
import spheres

from blurbench.colloids.items import read
from blurbench.colloids.methods import peak_boosting
from blurbench.colloids.peak_features import places
from blurbench.files import models
from blurbench.learning.budget import Budget
from blurbench.running import methods
from blurbench.scoring.matching import match

SPEC = spheres.spec([2, 0.8, 0.8], shape_px=[48, 48, 48])
SIZES = (1.0, 0.6, 0.45)  # µm: the blur along z is 0.2, 0.33 and 0.44 of a diameter


def cells(n, rng):
    return [(float(rng.uniform(0.05, 0.5)), float(rng.uniform(0.4, 1.0)), float(rng.uniform(1.5, 8))) for _ in range(n)]


@pytest.fixture(scope="module")
def splits():
    rng = np.random.default_rng(4)
    return {name: spheres.simulated(cells(n, rng), SPEC, name) for name, n in (("train", 32), ("validation", 8))}


@pytest.fixture(scope="module")
def dense():
    """Volumes that nobody has trained on, two of each width of the blur."""
    return spheres.simulated([(phi, size, 4) for phi in (0.4, 0.5) for size in SIZES], SPEC, "dense")


@pytest.fixture(scope="module")
def model(splits, tmp_path_factory):
    """Model as it is read from its file."""
    fitted, curve = methods.load("colloids", "peak_boosting").fit(splits, Budget(), "cpu", 1)
    assert list(curve["items"]) == [8, 32] and np.isfinite(curve.to_numpy()).all()
    models.write(fitted, path := tmp_path_factory.mktemp("model") / "peaks.pt")
    back = models.read(path)
    assert back["settings"] == fitted["settings"] and (back["boosting"]["value"] == fitted["boosting"]["value"]).all()
    return back


def f1(frame, dataset, radius=0.25):
    """Of each volume."""
    pairs = (spheres.errors(frame, dataset, i, radius)[:2] for i in range(len(dataset)))
    return np.array([2 * r * p / max(r + p, 1e-9) for r, p in pairs])


def predicted(dataset, model):
    return methods.load("colloids", "peak_boosting").predict(dataset, model, "cpu")


def test_easy_spheres_are_all_found(model):
    """One or two of some 70 may be missed, or false."""
    easy = spheres.simulated([(0.1, 1.0, 8), (0.3, 1.0, 8)], SPEC, "easy")
    assert (f1(predicted(easy, model), easy) > 0.97).all()


def test_no_worse_than_maxima_alone_on_dense_volumes(model, splits, dense):
    """Mean F1 of six volumes, whose standard error is 0.01; trained on a quarter of the volumes of the laptop size."""
    peaks = methods.load("colloids", "wiener_peaks")
    alone = peaks.predict(dense, peaks.fit(splits, None, "cpu", 1)[0], "cpu")
    assert f1(predicted(dense, model), dense).mean() > f1(alone, dense).mean() - 0.01


def test_the_same_answer_twice(model, dense):
    assert predicted(dense, model).equals(predicted(dense, model))


def test_centres_are_apart(model, dense):
    """As far as the least separation that is tried."""
    frame = predicted(dense, model)
    for i, part in frame.groupby("item"):
        points = part[["z", "y", "x"]].to_numpy() / dense.items["particle_size_um"].iloc[i]
        distance = np.linalg.norm(points[:, None] - points, axis=-1) + 9 * np.eye(len(points))
        assert distance.min() > 0.45 - 1e-9


@pytest.mark.parametrize("axis", range(3))
def test_a_mirror_image_has_the_same_places(dense, axis):
    """Of all places but those whose maximum is as near to two voxels, and so may be either; rounding of transforms."""
    volume = read(dense, 0)
    flipped = volume._replace(photons=np.ascontiguousarray(np.flip(volume.photons, axis)))
    (at, known, slopes), (mirrored, same, turned) = places(volume), places(flipped)
    mirrored[:, axis] = volume.photons.shape[axis] - 1 - mirrored[:, axis]
    turned[:, axis] *= -1
    distance = np.linalg.norm(at[:, None] - mirrored, axis=-1) + 99 * (known[:, :1] != same[:, 0])
    nearest = distance.argmin(axis=1)
    alike = np.isclose(known, same[nearest], atol=1e-2).all(axis=1) & (distance.min(axis=1) < 0.01)
    alike &= np.isclose(slopes, turned[nearest], atol=5e-2).all(axis=(1, 2))
    assert alike.mean() > 0.98


def test_a_volume_without_light_has_no_place(dense):
    volume = read(dense, 0)
    found, usual = places(volume._replace(photons=np.zeros_like(volume.photons))), places(volume)
    assert [part.shape for part in found] == [(0, *part.shape[1:]) for part in usual]


def test_the_move_takes_places_nearer_to_the_centres(model, dense):
    """Root mean square along z of those within a quarter of a diameter before and after, by a tenth at least."""
    before, after = [], []
    for i in range(len(dense)):
        volume = read(dense, i)
        truth = volume.truth.centres_um.astype(float) / volume.voxel_um
        found = places(volume)
        moved = peak_boosting._moved(found, model["offsets"], volume.diameter)
        for positions, errors in ((found.positions, before), (moved, after)):
            pairs = match(truth, positions, 0.25 * volume.diameter)
            errors.append((positions[pairs[:, 1]] - truth[pairs[:, 0]])[:, 0] / volume.diameter)
    rms = [np.sqrt(np.mean(np.concatenate(errors) ** 2)) for errors in (before, after)]
    assert rms[1] < 0.9 * rms[0]
