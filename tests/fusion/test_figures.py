"""Figures and extra tables of the fusion problem, on made-up scores."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from svg import texts

from blurbench.drawing.gallery import OWN
from blurbench.drawing.material import Material, MethodFile
from blurbench.files.answers import OK
from blurbench.files.datasets import Dataset
from blurbench.fusion import PROBLEM
from blurbench.fusion.figures import by_depth, by_study, gallery, slices
from blurbench.fusion.score import DEPTHS, METRICS, score
from blurbench.fusion.sections import cut
from blurbench.fusion.tables import depth, targets
from blurbench.running.simulation import simulate
from blurbench.scoring.score_table import score_table
from blurbench.scoring.scores import read
from blurbench.tables.settings import Settings

pytestmark = pytest.mark.usefixtures("no_warnings")
METHODS = {"ours": ("learned", 0.9), "gaussian": ("classical", 0.3), "truth": ("limit", 1.0), "copy": ("control", 0.0)}
STUDIES = np.repeat(["nuclei", "membranes"], 12)


def tables(lowest=None):
    """Scores of METHODS on one dataset; N_SSIM falls by 0.1 from third to third of the depth."""
    rng = np.random.default_rng(1)
    items = pd.DataFrame({"study": STUDIES})
    for method, (kind, middle) in METHODS.items():
        gains = middle + 0.02 * rng.normal(size=len(items)) * (kind in ("learned", "classical"))
        values = {metric.name: np.minimum(gains, 1) for metric in METRICS}
        values |= {metric.name: np.full(len(items), 0.5) for metric in METRICS if metric.range[0] == 0}
        values |= {f"n_ssim_{name}": np.minimum(gains, 1) - 0.1 * k for k, name in enumerate(DEPTHS)}
        if lowest is not None and method == "gaussian":
            values["n_ssim"][0] = lowest
        names = {"run": "t", "problem": "fusion", "dataset": "known", "split": "test", "method": method, "kind": kind}
        yield score_table(items, METRICS, values, np.full(len(items), OK, object), {}).assign(**names, seed=0)


def material(**changes):
    return Material(resamples=200, seed=1, scores=list(tables(**changes)), dataset="known")


def test_every_study_and_method_is_shown(tmp_path):
    by_depth.draw(tmp_path / "depth.svg", material())
    by_study.draw(tmp_path / "study.svg", material(lowest=-40.0))
    for name, titles in (
        ("depth", ["nuclei", "membranes"]),
        ("study", ["nuclei", "membranes", "12 volumes"]),
    ):
        shown = texts(tmp_path / f"{name}.svg")
        assert {*titles, *METHODS} <= set(shown)
    assert set(DEPTHS) <= set(texts(tmp_path / "depth.svg"))


def test_a_wild_volume_does_not_make_the_others_unseen(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(by_study.style, "save", lambda drawing, path: drawn.append(drawing))
    by_study.draw(tmp_path / "study.svg", material(lowest=-40.0))
    ax = drawn[0].axes[0]
    assert ax.get_xlim()[0] == pytest.approx(-1.03)
    assert min(path.vertices[:, 0].min() for lines in ax.collections for path in lines.get_paths()) >= by_study.LOWEST


def test_medians_by_depth_are_those_of_the_scores(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(by_depth.style, "save", lambda drawing, path: drawn.append(drawing))
    by_depth.draw(tmp_path / "depth.svg", material())
    truth = next(line for line in drawn[0].axes[0].get_lines() if np.allclose(line.get_ydata(), [1, 0.9, 0.8]))
    assert list(np.rint(truth.get_xdata())) == [0, 1, 2]


def test_extra_tables_hold_their_numbers():
    scores = read(list(tables()), PROBLEM.conditions)
    given = Settings({}, 200, 1)
    for module, number in ((depth, "n_ssim_deep"), (targets, "n_ssim_fused")):
        found = module.table(scores, given)
        assert number in set(found["metric"]) and "n_ssim" not in set(found["metric"])
        rows = found[(found["metric"] == number) & (found["condition"] == "all")].set_index("method")["mean"]
        assert rows["truth"] == pytest.approx(0.8 if module is depth else 1.0)
        assert rows["gaussian"] == pytest.approx(0.1 if module is depth else 0.3, abs=0.02)
        assert list(module.blocks(found))
    assert not list(depth.summary(found)) and list(targets.summary(found))


def test_sections_are_those_through_the_middle(tmp_path):
    volume = np.arange(5 * 6 * 7).reshape(5, 6, 7)
    found = cut(volume)
    np.testing.assert_array_equal(found["xy"], volume[2])
    np.testing.assert_array_equal(found["xz"], volume[:, 3])


def test_slices_of_what_was_answered(tmp_path, monkeypatch):
    """A method's answer is shown at the grey scale of the truth; of several training seeds the first one's."""
    spec = yaml.safe_load((Path(__file__).parent / "tiny.yaml").read_text(encoding="utf-8"))
    spec["items"]["test"] = 1
    simulate("fusion", "known", "test", spec, 1, tmp_path / "test.zarr", tmp_path / "test.json")
    store, files = Dataset.open(tmp_path / "test.zarr"), []
    for seed, factor in ((1, 0.5), (2, 7.0)):
        path = tmp_path / f"{seed}.zarr"
        with PROBLEM.answer.writing(path, store) as writer:
            writer.finish(writer.take((factor * truth for truth in store.truth["density"][:]), 0, len(store)))
        files.append(MethodFile("known", "half_as_bright", seed, path))
    drawn = []
    monkeypatch.setattr(slices.style, "save", lambda drawing, path: drawn.append(drawing))
    slices.draw(tmp_path / "a.svg", Material(resamples=100, seed=1, predictions=files, store=store, dataset="known"))
    images = {ax.get_title().replace("\n", ""): ax.images[0] for ax in drawn[0].axes if ax.get_title()}
    assert list(images) == ["view", "truth", "half_as_bright"]
    assert len({image.get_clim() for image in images.values()}) == 1
    np.testing.assert_allclose(2 * images["half_as_bright"].get_array(), images["truth"].get_array(), rtol=1e-6)


def test_a_gallery_has_the_answer_beside_the_truth(tmp_path, monkeypatch):
    """Volumes of two studies; the third is answered by nothing at all, and is the worst one."""
    spec = yaml.safe_load((Path(__file__).parent / "tiny.yaml").read_text(encoding="utf-8"))
    spec["items"]["test"] = 2
    simulate("fusion", "known", "test", spec, 1, tmp_path / "test.zarr", tmp_path / "test.json")
    store, path = Dataset.open(tmp_path / "test.zarr"), tmp_path / "1.zarr"
    factors = np.where(np.arange(len(store)) == 2, 0, 0.9).astype("float32")
    with PROBLEM.answer.writing(path, store) as writer:
        writer.finish(writer.take((f * truth for f, truth in zip(factors, store.truth["density"][:])), 0, len(store)))
    table = score(store, PROBLEM.answer.read(path, len(store)), METRICS[:1])
    given = Material(resamples=100, seed=1, store=store, dataset="known", kinds={"dimmer": "learned"})
    given.scores = [table.assign(dataset="known", method="dimmer", kind="learned", seed=1)]
    given.predictions = [MethodFile("known", "dimmer", 1, path)]
    drawn = []
    monkeypatch.setattr(gallery.style, "save", lambda drawing, path: drawn.append(drawing))
    gallery.draw(tmp_path / "a.svg", given)
    axes = drawn[0].axes
    assert axes[0].get_ylabel() == "dimmer" and [ax.get_title().split("\n")[0] for ax in axes[3:]] == list(OWN)
    common = [factors[int(ax.get_title().split()[1])] for ax in axes[:3]]  # "item 2"
    for ax, factor in zip(axes, [*common, 0.9, 0.9, 0]):
        answer, truth = np.hsplit(ax.images[0].get_array(), 2)
        np.testing.assert_allclose(answer, factor * truth, rtol=1e-5)
        bar = ax.lines[-1].get_xdata()
        assert np.ptp(bar) == pytest.approx(10) and ax.images[0].get_extent()[0] < bar[0]
    worst = table.query("metric == 'n_ssim'")["value"].min()
    assert axes[-1].get_title().endswith(f"\n{worst:z.2f}".replace("-", "−")) and worst < 0.5
