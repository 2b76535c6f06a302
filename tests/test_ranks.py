"""Methods compared by their ranks over datasets: what counts, what the test says, and what the diagram joins."""

import numpy as np
import pandas as pd
import pytest
from configurations import layers
from svg import texts

from blurbench.drawing import critical_difference, style
from blurbench.drawing.material import Material
from blurbench.planning import compared_datasets
from blurbench.planning.configuration import expand
from blurbench.scoring import friedman

pytestmark = pytest.mark.usefixtures("no_warnings")

KINDS = {"net": "learned", "ridge": "learned", "fit": "classical", "slow": "classical", "bound": "limit"}


def tables(rms, datasets):
    """Score tables of the problem diffusion: RMSE of ln D by method, on so many datasets of 20 items."""
    for k in range(datasets):
        for method, value in rms.items():
            item = {"item": range(20), "D": 1.0, "metric": "error_ln_d", "value": np.tile([-value, value], 10)}
            about = {"dataset": f"d{k}", "method": method, "kind": KINDS[method], "seed": 0, "status": "ok"}
            yield pd.DataFrame(item).assign(worst=np.nan, **about)


def drawn(path, scores, datasets):
    """The axes that the diagram of diffusion is drawn on, and its title."""
    entries = {f"d{k}": {"stream": f"d{k}"} for k in range(datasets)}
    given = Material(resamples=10, seed=1, scores=list(scores), kinds=KINDS, datasets=entries)
    figures = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(style, "save", lambda drawing, path: figures.append(drawing))
        critical_difference.draw(path, "diffusion", given)
    return figures[0].axes[0], figures[0]._suptitle.get_text()


def bars(ax):
    """Ends of the bars that join methods, along the ranks."""
    return [(line.get_xdata().min(), line.get_xdata().max()) for line in ax.lines if line.get_linewidth() == 2]


def places(ax, names, kinds=KINDS):
    """Average rank at which each method has its mark."""
    looks = Material(resamples=1, seed=1, kinds=kinds).styles({name: kinds[name] for name in names})
    marks = {line.get_marker(): line.get_xdata()[0] for line in ax.lines if line.get_marker() not in ("", "None")}
    return {name: marks[look["marker"]] for name, look in looks.items()}


def test_methods_in_one_order_on_all_datasets_differ(tmp_path):
    """Of three on 12 datasets a rank is enough: the critical difference is 2.343 sqrt(3 * 4 / (6 * 12)) = 0.96."""
    rms = {"net": 0.2, "ridge": 0.3, "slow": 0.4, "bound": 0.1}
    ax, title = drawn(tmp_path / "a.svg", tables(rms, 12), 12)
    assert bars(ax) == [] and places(ax, ["net", "ridge", "slow"]) == {"net": 1, "ridge": 2, "slow": 3}
    assert [text.get_text() for text in ax.texts] == ["net  1.0", "ridge  2.0", "3.0  slow"]
    assert "over 12 datasets" in title and "0.96 ranks" in title


def test_neighbours_are_joined_where_datasets_are_few(tmp_path):
    """Of four on 6 datasets a rank is too little, two are not: the difference is 2.569 sqrt(4 * 5 / 36) = 1.91."""
    ax, title = drawn(tmp_path / "a.svg", tables({"net": 0.2, "ridge": 0.3, "fit": 0.35, "slow": 0.4}, 6), 6)
    assert sorted(bars(ax)) == [(1, 2), (2, 3), (3, 4)] and "1.9 ranks" in title


def test_equal_methods_are_all_joined(tmp_path):
    ax, title = drawn(tmp_path / "a.svg", tables(dict.fromkeys(KINDS, 0.3), 12), 12)
    assert bars(ax) == [(2.5, 2.5)] and len(ax.texts) == 4 and "p = 1)" in title


def test_what_friedman_does_not_find_is_not_shown():
    """Each of three is first as often as the others."""
    turns = pd.DataFrame([np.roll([1.0, 2.0, 3.0], k) for k in range(9)], columns=list("abc"))
    found = friedman.test(turns)
    assert found.p == pytest.approx(1) and (found.p_pairs == 1).all(axis=None) and set(found.ranks) == {2}


def test_equal_methods_are_seldom_told_apart():
    """At the fewest datasets, of the fewest methods and of more: in 5 of 100 tables at most; 2 SDs are 4."""
    rng = np.random.default_rng(1)
    for methods in (compared_datasets.METHODS, 6):
        shape = compared_datasets.DATASETS, methods
        told = [friedman.test(pd.DataFrame(rng.normal(size=shape))).p_pairs.to_numpy().min() < 0.05 for _ in range(100)]
        assert np.mean(told) <= 0.05 + 0.04


def test_a_method_that_lacks_on_a_dataset_is_not_ranked(tmp_path):
    rms = {"net": 0.2, "ridge": 0.3, "slow": 0.4, "fit": 0.1}
    scores = [table for table in tables(rms, 6) if (table.dataset[0], table.method[0]) != ("d3", "fit")]
    assert [text.get_text() for text in drawn(tmp_path / "a.svg", scores, 6)[0].texts][0] == "net  1.0"


def test_with_too_few_datasets_there_is_no_test(tmp_path):
    """A dataset that shares its items with another, or has mistakes, is none more."""
    entries = {f"d{k}": {"stream": f"d{k}"} for k in range(4)} | {"d4": {"stream": "d3"}}
    entries["d5"] = {"stream": "d5", "mistakes": {"none": {}}}
    assert compared_datasets.independent(entries) == ["d0", "d1", "d2", "d3"]
    scores = list(tables({"net": 0.2, "ridge": 0.3, "slow": 0.4}, 6))
    given = Material(resamples=10, seed=1, scores=scores, kinds=KINDS, datasets=entries)
    critical_difference.draw(tmp_path / "a.svg", "diffusion", given)
    assert texts(tmp_path / "a.svg") == {"no 6 datasets with 3 methods in common"}


def test_the_full_benchmark_has_datasets_enough_in_diffusion_alone():
    found = expand(layers("config"))["problems"]
    assert [name for name, entry in found.items() if compared_datasets.enough(entry)] == ["diffusion"]
    entry = found["diffusion"]
    assert compared_datasets.independent(entry["datasets"])[:2] == ["report", "report_continuous"]
    chosen = compared_datasets.methods(entry)
    assert {"ours", "cve"} <= set(chosen) and not {"cramer_rao", "prior_mean", "ours_wide"} & set(chosen)
    assert compared_datasets.told(entry).endswith("(figure `ranks`; datasets: 7, methods: 17).")
    said = compared_datasets.told(found["segmentation"])
    assert "not compared" in said and "that takes 6 with" in said and "(datasets: 3, methods: " in said
