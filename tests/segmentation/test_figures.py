"""Figures and extra tables of the segmentation problem, on made-up scores and answers."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from svg import texts

from blurbench.drawing import style
from blurbench.drawing.material import Material, MethodFile
from blurbench.files.answers import OK
from blurbench.files.datasets import Dataset
from blurbench.running.simulation import simulate
from blurbench.scoring.score_table import score_table
from blurbench.scoring.scores import read
from blurbench.segmentation import PROBLEM
from blurbench.segmentation.figures import by_blur, gallery, outlines
from blurbench.segmentation.overlay import BOTH, FOUND, TRUE, overlay
from blurbench.segmentation.score import METRICS, score
from blurbench.segmentation.tables import blur_levels, pooled
from blurbench.tables.settings import Settings

pytestmark = pytest.mark.usefixtures("no_warnings")
METHODS = {"ours": ("learned", 0.02), "otsu": ("classical", 0.2), "truth": ("limit", 0.0), "full": ("control", 0.6)}
BLURS, SCENES = (1.0, 7.0, 48.0), 10
GIVEN = Settings({}, 200, 1)


def tables(failed=None):
    """Scores of METHODS on one dataset; what is missing to 1 grows with the blur, doubly for the second stain.

    failed : item that `otsu` fails on
    """
    rng = np.random.default_rng(1)
    grid = [(stain, blur) for _ in range(SCENES) for stain in (0, 1) for blur in BLURS]
    items = pd.DataFrame(grid, columns=["stain", "blur_px"])
    for method, (kind, error) in METHODS.items():
        missing = error * (items["blur_px"] / 48 * (1 + items["stain"])).to_numpy()
        missing *= 1 + 0.1 * rng.random(len(items))
        values = {metric.name: np.full(len(items), 0.5) for metric in METRICS}
        values |= dict.fromkeys(("pixel_f1", "instance_f1_50"), 1 - np.minimum(missing, 1))
        values |= {"count_error": -10 * missing, "true_px": 900.0 - 300 * (items["stain"] == 1)}
        values |= {"false_px": np.full(len(items), 100.0), "missed_px": 100.0 + 300 * (items["stain"] == 1)}
        status = np.full(len(items), OK, object)
        if failed is not None and method == "otsu":
            status[failed] = "out of memory"
        names = {"run": "t", "problem": "segmentation", "dataset": "hard", "split": "test", "method": method}
        yield score_table(items, METRICS, values, status, {}).assign(**names, kind=kind, seed=0)


def drawn_by(module, monkeypatch, path, given):
    drawn = []
    monkeypatch.setattr(style, "save", lambda drawing, path: drawn.append(drawing))
    module.draw(path, given)
    return drawn[0]


def test_every_stain_and_method_is_shown_against_blur(tmp_path):
    by_blur.draw(tmp_path / "a.svg", Material(resamples=200, seed=1, scores=list(tables()), dataset="hard"))
    assert {"nuclei", "cells", *METHODS, *by_blur.ROWS, "48"} <= texts(tmp_path / "a.svg")


def test_lines_are_the_means_of_the_scores(tmp_path, monkeypatch):
    given = Material(resamples=200, seed=1, scores=list(tables()), dataset="hard")
    axes = drawn_by(by_blur, monkeypatch, tmp_path / "a.svg", given).axes
    scores = read(given.scores, PROBLEM.conditions)[0]
    row = list(scores.methods.method).index("otsu")
    for ax, metric, sign in ((axes[1], "pixel_f1", 1), (axes[5], "count_error", -1)):
        cells = [(scores.items == [1, blur]).all(axis=1).to_numpy() for blur in BLURS]
        expected = [sign * scores.values[metric][row, 0, cell].mean() for cell in cells]
        (line,) = (bars.lines[0] for bars in ax.containers if bars.get_label() == "otsu")
        np.testing.assert_allclose(line.get_ydata(), expected)
        np.testing.assert_allclose(line.get_xdata(), BLURS, atol=1)


def test_table_by_blur_holds_each_level_and_stain():
    found = blur_levels.table(read(list(tables()), PROBLEM.conditions), GIVEN)
    assert set(found["metric"]) == set(blur_levels.SHOWN) and set(found["stain"]) == {"nuclei", "cells"}
    one = found[(found["metric"] == "pixel_f1") & (found["method"] == "otsu")].set_index(["stain", "blur_px"])["mean"]
    assert one["cells", 48.0] == pytest.approx(1 - 0.4 * 1.05, abs=0.02) and one["nuclei", 1.0] > 0.99
    heading, note, rows = next(iter(blur_levels.blocks(found)))
    assert heading == "hard, nuclei: pixel F1" and list(rows)[2:] == [f"F {blur:g} †" for blur in BLURS]
    assert list(rows["method"]) == ["ours", "otsu", "truth", "full"] and "†" in note
    assert len(list(blur_levels.summary(found))) == 2
    worst = found[found["metric"] == "count_mae"].assign(method=lambda t: t["method"].replace("full", "otsu2"))
    worst.loc[worst["method"] == "otsu2", "kind"] = "classical"
    assert list(next(iter(blur_levels.blocks(worst)))[2]["method"]) == ["ours", "otsu", "otsu2", "truth"]


@pytest.mark.parametrize("failed", [None, 0])
def test_pooled_scores_are_of_the_sums_of_pixels(failed):
    """Item 0 shows nuclei: as a failure it adds its 1,000 pixels to those missed and nothing to those found."""
    found = pooled.table(read(list(tables(failed)), PROBLEM.conditions), GIVEN)
    means = found.pivot(index=["stain", "metric"], columns="method", values="mean")
    n = SCENES * len(BLURS)
    true, false, missed = (900 * (n - 1), 100 * (n - 1), 100 * (n - 1) + 1000) if failed == 0 else (900, 100, 100)
    assert means.loc[("nuclei", "pooled_f1"), "otsu"] == pytest.approx(2 * true / (2 * true + false + missed))
    assert means.loc[("nuclei", "pooled_recall"), "otsu"] == pytest.approx(true / (true + missed))
    assert means.loc[("nuclei", "pooled_precision"), "ours"] == pytest.approx(0.9)
    assert means.loc[("cells", "pooled_iou"), "ours"] == pytest.approx(600 / 1100)
    heading, _, rows = next(iter(pooled.blocks(found)))
    assert heading == "hard: nuclei" and list(rows)[2:] == ["F1", "IoU", "precision", "recall"]
    assert not list(pooled.summary(found))


def test_outlines_have_their_colours():
    truth, found = np.zeros((2, 20, 20), int)
    truth[2:9, 2:9], truth[2:9, 9:16] = 1, 2  # they touch
    found[2:9, 2:16], found[14:18, 14:18] = 1, 2
    picture = overlay(np.arange(400.0).reshape(20, 20), found, truth)
    assert tuple(picture[2, 5]) == BOTH and tuple(picture[5, 8]) == tuple(picture[5, 9]) == TRUE
    assert tuple(picture[14, 15]) == FOUND and len(set(picture[5, 5])) == 1  # grey within a cell
    plain = overlay(np.arange(400.0).reshape(20, 20))
    assert plain[0, 0, 0] == 0 and plain[-1, -1, 0] == 255
    assert not overlay(np.full((5, 5), 7.0)).any()


def test_outlines_of_what_was_answered(tmp_path, monkeypatch):
    """A column per blur level of the first scene and stain; of several training seeds the first one's answer."""
    spec = yaml.safe_load((Path(__file__).parent / "tiny.yaml").read_text(encoding="utf-8"))
    simulate("segmentation", "hard", "test", spec, 1, tmp_path / "test.zarr", tmp_path / "test.json")
    store, files = Dataset.open(tmp_path / "test.zarr"), []
    for seed, keep in ((1, True), (2, False)):
        path = tmp_path / f"{seed}.zarr"
        with PROBLEM.answer.writing(path, store) as writer:
            writer.finish(writer.take((keep * labels for labels in store.truth["labels"][:]), 0, len(store)))
        files.append(MethodFile("hard", "all_of_it", seed, path))
    given = Material(resamples=100, seed=1, predictions=files, store=store, dataset="hard")
    axes = drawn_by(outlines, monkeypatch, tmp_path / "a.svg", given).axes
    blurs = spec["test_blur_px"]
    assert [ax.get_title() for ax in axes[: len(blurs)]] == [f"F {blur}" for blur in blurs]
    assert [ax.get_ylabel() for ax in axes[:: len(blurs)]] == ["image", "all_of_it"]
    colours = [{tuple(c) for c in np.reshape(ax.images[0].get_array(), (-1, 3))} for ax in axes]
    assert all(TRUE in c and FOUND not in c for c in colours[: len(blurs)])
    assert all(BOTH in c and TRUE not in c and FOUND not in c for c in colours[len(blurs) :])


def test_a_gallery_shows_where_the_cells_are():
    """Of a cell in a corner the square that holds it whole; a smaller image is shown as it is."""
    labels = np.zeros((200, 300), int)
    labels[5:25, 270:295] = 1
    rows, columns = gallery.busiest(labels, 50)
    assert labels[rows, columns].sum() == labels.sum() and labels[rows, columns].shape == (50, 50)
    assert labels[gallery.busiest(labels, 400)].shape == labels.shape


def test_a_gallery_shows_a_failed_image_without_an_answer(tmp_path, monkeypatch):
    """All is found but in item 3, whose answer is lost: it counts as the worst one."""
    spec = yaml.safe_load((Path(__file__).parent / "tiny.yaml").read_text(encoding="utf-8"))
    simulate("segmentation", "hard", "test", spec, 1, tmp_path / "test.zarr", tmp_path / "test.json")
    store, path = Dataset.open(tmp_path / "test.zarr"), tmp_path / "1.zarr"
    with PROBLEM.answer.writing(path, store) as writer:
        rows = writer.take((labels for labels in store.truth["labels"][:]), 0, len(store))
        rows.loc[3, "status"] = "out of memory"
        writer.finish(rows)
    table = score(store, PROBLEM.answer.read(path, len(store)), METRICS[:1])
    given = Material(resamples=100, seed=1, store=store, dataset="hard", kinds={"all_of_it": "learned"})
    given.scores = [table.assign(dataset="hard", method="all_of_it", kind="learned", seed=1)]
    given.predictions = [MethodFile("hard", "all_of_it", 1, path)]
    axes = drawn_by(gallery, monkeypatch, tmp_path / "a.svg", given).axes
    assert [ax.get_title().split("\n")[-1] for ax in axes[3:]] == ["1.00", "1.00", "failed"]
    whole, failed = ({tuple(c) for c in np.reshape(ax.images[0].get_array(), (-1, 3))} for ax in (axes[3], axes[5]))
    assert TRUE not in whole and TRUE in failed and FOUND not in whole | failed
