"""The contract of a method, over every file in every methods/ folder: a new one is tested by being there."""

import ast
import json
import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from configurations import ROOT

import blurbench
from blurbench import problems
from blurbench.files import models
from blurbench.files.answers import ImageAnswers, Points
from blurbench.files.datasets import Dataset
from blurbench.files.models import ModelError
from blurbench.learning.budget import Budget
from blurbench.learning.training import fit
from blurbench.planning import catalogue
from blurbench.planning.catalogue import MethodError, describe
from blurbench.planning.method import KINDS
from blurbench.planning.option_rules import option_faults
from blurbench.running import methods
from blurbench.running.simulation import simulate

FOLDERS = sorted(Path(blurbench.__file__).parent.glob("*/methods"))
FILES = [(f.parts[-2], p.stem) for f in FOLDERS for p in sorted(f.glob("[a-z]*.py"))]
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")  # of pandas, by trackpy


def each_method(*kinds, trains=False):
    """Parametrise over the method files of these kinds, all if none is named; of those that train alone."""
    known = [(f, describe(*f)) for f in FILES]
    files = [f for f, d in known if (not kinds or d.kind in kinds) and (d.trains or not trains)]
    return pytest.mark.parametrize("problem, name", files, ids=["-".join(f) for f in files])


SPOILT = 3, 5, 7  # items that a test makes dark, saturated and frozen
BUDGET = {"batch_size": 4, "validations": 2}
SMALLER = {
    "width": 16,
    "warm_up": 30,
    "iterations": 20,
    "most": 20,
}  # of networks and samplers that have such an option


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Folder of a problem's splits, made when first asked for."""
    made = {}

    def stores(problem):
        if problem not in made:
            folder = made[problem] = tmp_path_factory.mktemp(problem)
            entry = tiny(problem)
            for split in entry["items"]:
                simulate(problem, "tiny", split, entry, 1, folder / f"{split}.zarr", folder / f"{split}.json")
        return made[problem]

    return stores


def tiny(problem):
    """A tiny dataset of a problem, as an expanded configuration states it."""
    return yaml.safe_load((Path(__file__).parent / problem / "tiny.yaml").read_text(encoding="utf-8"))


def loaded(problem, name, **options):
    known = describe(problem, name).options
    return methods.load(problem, name, {k: v for k, v in {**SMALLER, **options}.items() if k in known})


def trained(problem, name, folder, model, seed=1, device="cpu"):
    """Train for a few steps; returns the learning curve."""
    length = {"epochs": 2} if "epochs" in {f.name for f in fields(Budget)} else {"items": 48}
    options = {k: v for k, v in SMALLER.items() if k in describe(problem, name).options}
    curve, checkpoint = model.with_suffix(".csv"), model.with_suffix(".checkpoint")
    stored = folder / "train.zarr", folder / "validation.zarr"
    fit(problem, name, options, {**BUDGET, **length}, *stored, seed, device, 1, model, curve, checkpoint)
    return pd.read_csv(curve)


@pytest.fixture(scope="module")
def model(stores, tmp_path_factory):
    """File of a method's weights, or None for a method that does not train; each is trained once."""
    made = {}

    def model(problem, name):
        if not describe(problem, name).trains:
            return None
        if (problem, name) not in made:
            path = made[problem, name] = tmp_path_factory.mktemp("models") / f"{name}.pt"
            trained(problem, name, stores(problem), path)
        return made[problem, name]

    return model


@pytest.fixture(scope="module")
def answers(stores, model):
    """Predictions of one method: answers(problem, name, change) with the test split as `change` makes it.

    Those of the split as it is are made once.
    """
    made = {}

    def answers(problem, name, change=None, **options):
        if change is None and not options:
            if (problem, name) not in made:
                made[problem, name] = answers(problem, name, lambda ds: ds)
            return made[problem, name]
        ds = Dataset.open(stores(problem) / "test.zarr")
        ds = ds if change is None else change(ds)
        return methods.predict(loaded(problem, name, **options), ds, model(problem, name), "cpu")

    return answers


def columns(problem):
    return list(problems.load(problem).answer.columns)


def points(problem):
    return isinstance(problems.load(problem).answer, Points)


def rows(found):
    """The table of answers of any kind."""
    return found.table if isinstance(found, ImageAnswers) else found


def has_answer(found, problem):
    """Whether each row of the table holds an answer."""
    if isinstance(found, ImageAnswers):
        return np.array([np.isfinite(image).all() for image in found.images[:]])
    return np.isfinite(found[columns(problem)[0]])


def number(stores, problem):
    return len(Dataset.open(stores(problem) / "test.zarr"))


def pick(found, items):
    """The answers on these items, numbered anew in their order."""
    table = rows(found)
    parts = [table[table["item"] == i].assign(item=k) for k, i in enumerate(items)]
    table = pd.concat(parts, ignore_index=True) if parts else table[:0]
    return ImageAnswers(table, found.images[:][list(items)]) if isinstance(found, ImageAnswers) else table


def changed(ds, order=None, images=None, truth=None, items=None, spec=None):
    """A dataset in memory with some of its parts replaced, and its items in another order."""
    order = np.arange(len(ds)) if order is None else order
    images = ds.images[:] if images is None else images
    truth = {name: values[:] for name, values in ds.truth.items()} if truth is None else truth
    table = (ds.items if items is None else items).iloc[order].reset_index(drop=True)
    attrs = {**ds.attrs, "spec": spec or ds.spec}
    return Dataset(attrs, images[order], table, {name: values[order] for name, values in truth.items()})


def same(a, b, kind):
    """Equal answers; a network's may differ by the rounding of another batch."""
    tolerance = 0.05 if kind == "learned" else 1e-9
    tables = (rows(found).drop(columns="seconds").reset_index(drop=True) for found in (a, b))
    pd.testing.assert_frame_equal(*tables, rtol=tolerance, check_dtype=False)
    if isinstance(a, ImageAnswers):
        np.testing.assert_allclose(a.images[:], b.images[:], rtol=tolerance, atol=tolerance * np.nanstd(b.images[:]))


def exactly_the_same(a, b):
    """Equal to the last digit."""
    pd.testing.assert_frame_equal(rows(a).drop(columns="seconds"), rows(b).drop(columns="seconds"))
    if isinstance(a, ImageAnswers):
        np.testing.assert_array_equal(a.images[:], b.images[:])


# What is stated


def test_there_are_methods_of_every_kind():
    assert FILES
    for problem in {p for p, _ in FILES}:
        assert {describe(p, n).kind for p, n in FILES if p == problem} == set(KINDS)


@each_method()
def test_a_file_is_described_without_running_it(problem, name):
    described = describe(problem, name)
    assert described.kind in KINDS and isinstance(described.options, dict)
    assert described.trains or described.kind != "learned"
    tree = ast.parse(catalogue.source(problem, name).read_text())
    assert ast.get_docstring(tree), "the file's first line says what the method is"
    json.dumps(described.options)  # what a configuration may hold
    assert re.fullmatch(r"[a-z][a-z0-9_]*", name)


def another(default, allowed):
    """Another value of an option."""
    if "enum" in allowed:
        return next(value for value in allowed["enum"] if value != default)
    if "anyOf" in allowed:
        return 4  # of centroid_msd alone: a number of lags
    if isinstance(default, list):
        return [another(value, {}) for value in default]
    return not default if isinstance(default, bool) else default + 1 if isinstance(default, int) else default / 2


@each_method()
def test_options_become_attributes_and_no_other_is_taken(problem, name):
    described = describe(problem, name)
    method = methods.load(problem, name)
    assert method.kind == described.kind
    for option, default in described.options.items():
        allowed = described.allowed.get(option, {})
        assert getattr(method, option) == default and not option_faults(option, default, default, allowed)
        other = another(default, allowed)
        assert getattr(methods.load(problem, name, {option: other}), option) == other
        with pytest.raises(MethodError, match=f"{option}: found {{'of': 'no kind'}}, expected"):
            methods.load(problem, name, {option: {"of": "no kind"}})
        assert getattr(methods.load(problem, name), option) == default  # nothing is left behind
    with pytest.raises(MethodError, match="no_such_option"):
        methods.load(problem, name, {"no_such_option": 1})


def test_an_option_that_is_not_stated_is_that_of_the_model(model):
    trained = model("diffusion", "ours")
    assert methods.load("diffusion", "ours", {"dropout": 0.5}, trained).width == SMALLER["width"]
    assert methods.load("diffusion", "ours", {"width": 99, "dropout": 0.5}, trained).width == 99
    assert methods.load("diffusion", "ours", {"dropout": 0.5}).width == describe("diffusion", "ours").options["width"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("word", "found 'word', expected those of ours"),
        ({"predict": 5}, r"found unknown options \['predict'\], expected those of ours"),
        ({"width": "word"}, "ours: width: found 'word', expected a whole number like"),
        ({"width": -1}, "ours: width: found -1"),
    ],
)
def test_options_of_a_model_are_judged_as_those_of_an_entry(tmp_path, options, message):
    models.write({"options": options}, tmp_path / "odd.pt")
    with pytest.raises(MethodError, match=f"odd.pt: options.*{message}"):
        methods.load("diffusion", "ours", None, tmp_path / "odd.pt")


def test_unknown_method():
    with pytest.raises(MethodError, match=r"no_such.*cve"):
        describe("diffusion", "no_such")


# What is answered


@each_method()
def test_answers_have_their_columns(problem, name, answers, stores, tmp_path):
    found, n, answer = answers(problem, name), number(stores, problem), problems.load(problem).answer
    table = rows(found)
    assert list(table) == ["item", *columns(problem), "seconds", "status"]
    assert set(table["item"]) == set(range(n)) and table["item"].is_monotonic_increasing
    assert points(problem) or len(table) == n
    assert (table["seconds"] > 0).all() and (table["status"] == "ok").mean() > 0.8
    path = tmp_path / f"p{answer.suffix}"
    ds = Dataset.open(stores(problem) / "test.zarr")
    with answer.writing(path, ds) as writer:
        if isinstance(found, ImageAnswers):
            writer.take(found.images[:], 0, n)
        writer.finish(table)
    back = answer.read(path, n)
    pd.testing.assert_frame_equal(rows(back), table, check_dtype=False)
    if isinstance(found, ImageAnswers):
        np.testing.assert_array_equal(back.images[:], found.images[:])


@each_method()
def test_the_same_answer_twice(problem, name, answers):
    exactly_the_same(answers(problem, name), answers(problem, name, lambda ds: ds))


@each_method()
def test_one_item(problem, name, answers):
    kind = describe(problem, name).kind
    one = answers(problem, name, lambda ds: ds[:1])
    assert set(rows(one)["item"]) == {0} and list(rows(one)) == ["item", *columns(problem), "seconds", "status"]
    if kind != "limit":  # whose ideal errors are spread over the items that there are
        same(one, pick(answers(problem, name), [0]), kind)


@each_method()
def test_no_item(problem, name, answers):
    none = rows(answers(problem, name, lambda ds: ds[:0]))
    assert len(none) == 0 and list(none) == ["item", *columns(problem), "seconds", "status"]


@each_method("learned", "classical", "control")  # a limit may spread its ideal errors over the items that there are
def test_an_item_does_not_depend_on_the_others(problem, name, answers, stores):
    kind = describe(problem, name).kind
    order = np.random.default_rng(1).permutation(number(stores, problem))
    same(answers(problem, name, lambda ds: changed(ds, order)), pick(answers(problem, name), order), kind)


def garbled(ds):
    """The same images with another truth; what a microscopist knows stays."""
    rng = np.random.default_rng(2)
    truth = {name: rng.normal(size=values.shape).astype(values.dtype) for name, values in ds.truth.items()}
    known = problems.load(ds.attrs["problem"]).known
    items = ds.items.assign(**{c: rng.permutation(ds.items[c]) for c in ds.items if c not in known})
    return changed(ds, truth=truth, items=items)


@each_method("learned", "classical")
def test_the_truth_is_not_read(problem, name, answers):
    same(answers(problem, name, garbled), answers(problem, name), describe(problem, name).kind)


@each_method()
def test_an_impossible_item_keeps_its_row_and_harms_no_other(problem, name, answers, stores):
    kind, n = describe(problem, name).kind, number(stores, problem)

    def spoilt(ds):
        images = ds.images[:]
        dark, saturated, frozen = SPOILT
        limits = np.iinfo(images.dtype) if images.dtype.kind in "iu" else np.finfo(np.float16)
        images[dark], images[saturated], images[frozen] = 0, limits.max, images[frozen, :1]
        return changed(ds, images=images)

    found = answers(problem, name, spoilt)
    frame, answer = rows(found), has_answer(found, problem)
    assert set(frame["item"]) == set(range(n))
    if points(problem):  # an item in which nothing is found has no point either, and all is well
        assert (frame["status"] == "ok")[answer].all() and not frame["item"][~answer].duplicated().any()
    else:
        assert (answer == (frame["status"] == "ok")).all()
    untouched = np.delete(np.arange(n), SPOILT)
    same(pick(found, untouched), pick(answers(problem, name), untouched), kind)


@pytest.mark.parametrize("problem", sorted({p for p, _ in FILES}))
def test_methods_are_not_told_how_their_items_were_made(problem, stores):
    """Neither seed, stream, split, name and test grid of the dataset, nor what is expected of a recording."""
    ds, planted = Dataset.open(stores(problem) / "test.zarr"), "not to be seen"
    spec = {part: {**value, planted: 1} if isinstance(value, dict) else value for part, value in ds.spec.items()}
    spec |= {"recording": {"expected_D_um2_s": 0.43}, planted: 1}
    full = Dataset({**ds.attrs, "spec": spec}, ds.images, ds.items, ds.truth)

    def keys(mapping):
        return {k for key, value in mapping.items() for k in (key, *(keys(value) if isinstance(value, dict) else ()))}

    hidden = {"seed", "stream", "split", "dataset", "items", "recording", "expected_D_um2_s", planted}
    grid = {key for key in spec if key.startswith("test_")}
    assert hidden <= keys(full.attrs)
    blind = full.blind()
    assert blind.spec and not blind.truth and not (hidden | grid) & keys(blind.attrs)
    training = full.training()
    assert training.truth and list(training.items) == list(full.items)
    assert not ((hidden | grid) - {planted}) & keys(training.attrs) and planted not in training.spec


class Failing:
    """Raises where it meets one of the items with 17 photons; says nothing of those with 18."""

    kind = "classical"

    def predict(self, dataset, model, device):
        photons = dataset.items["photons"].to_numpy()
        if (photons == 17).any():
            raise RuntimeError("no spot here")
        return pd.DataFrame({"D": np.where(photons == 18, np.nan, 1.0)})


@pytest.mark.parametrize("photons", [[17, 1, 18, 1], [17, 17], [18, 18], [1, 1, 17], [17]])
def test_a_failing_item_keeps_its_row_with_the_reason(stores, photons):
    ds = Dataset.open(stores("diffusion") / "test.zarr")[: len(photons)]
    frame = methods.predict(Failing(), changed(ds, items=ds.items.assign(photons=photons)))
    reason = {17: "RuntimeError: no spot here", 18: "not a finite number", 1: "ok"}
    assert list(frame["status"]) == [reason[p] for p in photons]
    assert (np.isfinite(frame["D"]) == (np.array(photons) == 1)).all()
    assert (frame["seconds"] > 0).all() and list(frame) == ["item", *columns("diffusion"), "seconds", "status"]


def test_a_wrong_number_of_rows_is_a_failure(stores):
    class Short(Failing):
        def predict(self, dataset, model, device):
            return pd.DataFrame({"D": np.ones(1 + len(dataset) // 2)})

    frame = methods.predict(Short(), Dataset.open(stores("diffusion") / "test.zarr")[:4])
    assert len(frame) == 4 and (frame["status"] == "ok").all()  # item by item its rows are right

    class Mute(Failing):
        def predict(self, dataset, model, device):
            return pd.DataFrame({"D": []})

    frame = methods.predict(Mute(), Dataset.open(stores("diffusion") / "test.zarr")[:2])
    assert frame["status"].str.contains("0 rows for 1 items").all() and frame["D"].isna().all()


class Found(Failing):
    """Finds two centres in the first item, none in the second, and in the third what no answer is."""

    def __init__(self, wrong):
        self.wrong = wrong

    def predict(self, dataset, model, device):
        kept = [(0, 1.0), (0, 2.0), (2, self.wrong)]
        first = int(dataset.items["voxel_um"].iloc[0])
        rows = [(item - first, z) for item, z in kept if first <= item < first + len(dataset)]
        return pd.DataFrame(rows, columns=["item", "z"]).assign(y=0.0, x=0.0, confidence=1.0)


@pytest.mark.parametrize("wrong, status", [(3.0, "ok"), (np.nan, "not a finite number")])
def test_points_have_rows_of_their_own_and_an_item_without_any_has_one(stores, wrong, status):
    ds = Dataset.open(stores("colloids") / "test.zarr")[:3]
    frame = methods.predict(Found(wrong), changed(ds, items=ds.items.assign(voxel_um=range(3))))
    assert list(frame["item"]) == [0, 0, 1, 2] and list(frame["z"].isna()) == [False, False, True, wrong != 3]
    assert (frame["status"][:3] == "ok").all() and status in frame["status"].iloc[3]


# Training


@each_method(trains=True)
def test_training_repeats(problem, name, stores, model, answers, tmp_path):
    curve = trained(problem, name, stores(problem), tmp_path / "again.pt")
    losses = {"validation_loss"} | ({"train_loss"} if describe(problem, name).kind == "learned" else set())
    assert {"items", "seconds", "core_s"} | losses <= set(curve) and len(curve) >= 2
    assert curve["core_s"].iloc[-1] == curve["core_s"].max() > 0
    assert np.isfinite(curve.to_numpy()).all()
    ds = Dataset.open(stores(problem) / "test.zarr")
    again = methods.predict(loaded(problem, name), ds, tmp_path / "again.pt")
    exactly_the_same(again, answers(problem, name))
    first = models.read(model(problem, name))
    if "network" in first:  # what no network is, a regression, may depend on its items alone
        trained(problem, name, stores(problem), tmp_path / "other.pt", seed=2)
        other = models.read(tmp_path / "other.pt")["network"]
        assert any((other[key] != value).any() for key, value in first["network"].items())


@pytest.mark.parametrize("content", [b"", b"no model"])
def test_a_broken_model_file_is_told(stores, tmp_path, content):
    name = next(n for p, n in FILES if p == "diffusion" and describe(p, n).trains)
    (tmp_path / "broken.pt").write_bytes(content)
    ds = Dataset.open(stores("diffusion") / "test.zarr")
    with pytest.raises(ModelError, match=r"broken\.pt"):
        methods.predict(loaded("diffusion", name), ds, tmp_path / "broken.pt")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device: agreement of CPU and GPU is not tested")
@each_method(trains=True)
def test_cpu_and_gpu_agree(problem, name, stores, model):
    ds = Dataset.open(stores(problem) / "test.zarr")
    a, b = (methods.predict(loaded(problem, name), ds, model(problem, name), device) for device in ("cpu", "cuda"))
    same(a, b, describe(problem, name).kind)


# Diffusion: units


def each_diffusion(*kinds):
    """Parametrise over the methods of the diffusion problem."""
    names = [n for p, n in FILES if p == "diffusion" and (not kinds or describe(p, n).kind in kinds)]
    return pytest.mark.parametrize("name", names)


@each_diffusion()
def test_intervals_hold_their_answer(name, answers):
    frame = answers("diffusion", name)
    published = pd.read_csv(ROOT / "docs/published.csv").query("problem == 'diffusion'")
    if name not in set(published["file"]) and frame[columns("diffusion")[1:]].isna().all(axis=None):
        pytest.skip("states no interval, as a method that is not published may")
    frame = frame[(frame["D"] > 0) & frame["D_lo68"].notna()]
    assert len(frame) > 5
    for lo, hi in (("D_lo95", "D_lo68"), ("D_lo68", "D"), ("D", "D_hi68"), ("D_hi68", "D_hi95")):
        assert (frame[lo] <= frame[hi] * (1 + 1e-12)).all()
    assert (frame["D_lo95"] >= 0).all()


@each_diffusion("classical", "limit", "control")  # a network knows the scale that it was trained at
def test_answers_are_in_square_micrometres_per_second(name, answers):
    """The same images at twice the pixel size hold four times the D; at half the time, twice."""

    def rescaled(length, time):
        def change(ds):
            factor, imaging = length**2 / time, dict(ds.spec["imaging"])
            imaging["pixel_size_um"] *= length
            imaging["psf"] = {**imaging["psf"], "fwhm_um": imaging["psf"]["fwhm_um"] * length}
            imaging |= {k: imaging[k] * time for k in ("frame_time_s", "exposure_s")}
            spec = {**ds.spec, "imaging": imaging, "D_um2_s": [D * factor for D in ds.spec["D_um2_s"]]}
            times = {k: ds.items[k] * time for k in ("frame_time_s", "exposure_s")}
            widths = {k: ds.items[k] * length for k in ("fwhm_um", "psf_fwhm_um")}
            items = ds.items.assign(D=ds.items["D"] * factor, **widths, **times)
            truth = {"positions": ds.truth["positions"][:] * length}
            truth |= {n: ds.truth[n][:] * factor for n in ("D", "D_realised")}
            return changed(ds, items=items, truth=truth, spec=spec)

        return change

    plain = answers("diffusion", name)
    for length, time in ((2.0, 1.0), (1.0, 0.5), (0.5, 2.0)):
        other = answers("diffusion", name, rescaled(length, time))
        for column in columns("diffusion"):
            expected = plain[column].to_numpy() * length**2 / time
            # Absolute: what a positivity bound leaves of an answer that is zero.
            assert other[column].to_numpy() == pytest.approx(
                expected, rel=2e-3, abs=2e-3 * length**2 / time, nan_ok=True
            )


@each_diffusion("classical", "limit")  # a few steps of training teach nothing
def test_answers_are_of_the_right_size(name, answers, stores):
    D = Dataset.open(stores("diffusion") / "test.zarr").items["D"]
    ratio = answers("diffusion", name)["D"] / D
    assert 1 / 2 < ratio.median() < 2  # six frames: a relative SD of 0.7 for the worst, 24 stacks


@each_diffusion("learned")
def test_averaging_over_rotations_makes_the_answer_turn_with_the_image(name, answers):
    if "rotations" not in describe("diffusion", name).options:
        pytest.skip("does not average over rotations")

    def turned(ds):
        return changed(ds, images=np.rot90(ds.images[:], axes=(2, 3)).copy())

    plain, other = (answers("diffusion", name, change, rotations=4) for change in (None, turned))
    same(plain, other, "learned")


@each_diffusion("learned")
def test_a_model_answers_stacks_of_another_dataset(name, model, tmp_path):
    """Of fewer frames than it was trained on: what a network is built for stands in its model."""
    entry = tiny("diffusion")
    entry["imaging"]["frames"] -= 2
    simulate("diffusion", "short", "test", entry, 1, tmp_path / "test.zarr", tmp_path / "test.json")
    short = Dataset.open(tmp_path / "test.zarr")
    assert (methods.predict(loaded("diffusion", name), short, model("diffusion", name))["status"] == "ok").all()


def test_a_field_that_a_network_does_not_know_is_told(model, tmp_path):
    entry = tiny("diffusion")
    entry["imaging"]["size_px"] -= 8
    simulate("diffusion", "narrow", "test", entry, 1, tmp_path / "test.zarr", tmp_path / "test.json")
    narrow = Dataset.open(tmp_path / "test.zarr")
    found = methods.predict(loaded("diffusion", "pix2d"), narrow, model("diffusion", "pix2d"))
    assert found["status"].str.contains(r"found crops of \d+ pixels, expected \d+ as in the training").all()


@each_diffusion()
def test_drawn_imaging_parameters(name, tmp_path):
    """Items of many microscopes and frame numbers in one dataset."""
    entry = tiny("diffusion")
    drawn = {"frames": [4, 7], "photons": [60, 500], "background": [0, 5], "frame_time_s": [0.005, 0.02]}
    drawn |= {"exposure_s": 0.01, "psf": {"kind": "gaussian", "fwhm_um": [0.15, 0.35]}}
    entry = {**entry, "imaging": {**entry["imaging"], **drawn}, "items": {"train": 16, "validation": 8, "test": 3}}
    for split in ("train", "validation", "test") if describe("diffusion", name).trains else ("test",):
        simulate("diffusion", "tiny", split, entry, 1, tmp_path / f"{split}.zarr", tmp_path / f"{split}.json")
    if describe("diffusion", name).trains:
        trained("diffusion", name, tmp_path, tmp_path / "model.pt")
    model = tmp_path / "model.pt" if describe("diffusion", name).trains else None
    frame = methods.predict(loaded("diffusion", name), Dataset.open(tmp_path / "test.zarr"), model)
    assert len(frame) == 9 and (frame["status"] == "ok").sum() >= 6, frame["status"].unique()
