"""Two runs side by side: what is the same is the same, what is equal differs by chance, what differs is found."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from synthetic import score_tables

from blurbench.files import models, parquet
from blurbench.scoring.statistics import replicate, resampling
from blurbench.tables.comparison import ComparisonError, compare, document


def write_run(folder, seed, factor=1.0, items="a", datasets=("report",), per_D=30):
    """A run of made-up scores; `items` tells those of its datasets from others."""
    for dataset in datasets:
        for one in score_tables(dataset, per_D, factor, seed):
            method, number = one["method"].iloc[0], one["seed"].iloc[0]
            path = folder / f"scores/diffusion/{dataset}/{method}/{number}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            parquet.write(one, path)
        manifest = folder / f"datasets/diffusion/{dataset}/test.json"
        manifest.parent.mkdir(parents=True, exist_ok=True)
        manifest.write_text(json.dumps({"arrays": {"images": {"blake2b": f"{dataset} {items}"}}}))
    return folder


def test_a_run_and_itself_differ_nowhere(tmp_path):
    run = write_run(tmp_path / "a", 0)
    compared = compare(run, run)
    found = compared.numbers
    assert set(found.method) == {path.name for path in (run / "scores/diffusion/report").iterdir()}
    assert not found.beyond_chance.any()
    assert (found.difference.dropna() == 0).all() and found["items"].eq("same").all()
    assert "**" not in document(compared, "a", "a").partition("## ")[2]
    assert found.model.eq("same").all() and not compared.counts[["with_interval", "beyond_chance"]].any(axis=None)


@pytest.mark.parametrize("items", ["a", "b"], ids=["paired", "of others"])
def test_what_is_equal_differs_by_chance(items, tmp_path):
    """Nominally in 1 of 20; 0.92 of 240 comparisons of a share of 0.95 are 2.4 standard errors below it, but numbers of
    one method are not independent.
    """
    datasets = [f"set{i}" for i in range(10)]
    runs = [
        write_run(tmp_path / name, seed, items=of, datasets=datasets)
        for seed, (name, of) in enumerate((("x", "a"), ("y", items)))
    ]
    found, counts = compare(*runs)
    known = found[found.ci_low.notna() & (found.kind == "classical")]
    assert len(known) >= 200
    assert (~known.beyond_chance).mean() >= 0.92


def test_what_differs_is_found(tmp_path):
    """A spread larger by a fifth, of 210 items: of relative error 5 % each, if independent."""
    found, _ = compare(write_run(tmp_path / "x", 0), write_run(tmp_path / "y", 1, factor=1.4, items="b"))
    rows = found[(found.metric == "rmse_ln_d") & found.method.isin(["cve", "spot_width", "pix2d"])]
    assert rows.beyond_chance.all() and (rows.difference > 0).all()
    np.testing.assert_allclose(rows.difference, rows.b - rows.a)


def test_a_small_change_on_the_same_items_shows_only_where_they_are_paired(tmp_path):
    a, b, c = (
        write_run(tmp_path / name, 0, factor, items)
        for name, factor, items in (("a", 1, "a"), ("b", 1.05, "a"), ("c", 1.05, "c"))
    )
    paired, apart = (
        (found := compare(a, other).numbers)[(found.metric == "rmse_ln_d") & (found.method == "cve")].iloc[0]
        for other in (b, c)
    )
    assert paired.difference == apart.difference > 0
    assert paired.beyond_chance and not apart.beyond_chance
    assert (paired["items"], apart["items"]) == ("same", "other")


def test_independent_differences_cover():
    """Of means of 10 and 40 normal values, in two cells: 95 % intervals in 1,000 tries, 0.95 +- 0.021 (three sigma)."""
    rng = np.random.default_rng(3)
    hits = []
    for _ in range(50):
        found = []
        for n, seed in ((10, 1), (40, 2)):
            draws = resampling(np.arange(n) % 2, 400, seed)
            found.append(replicate(rng.normal(size=(20, 1, n)), "mean", draws))
        low, high = found[0].less(found[1]).interval()
        hits += list((low < 0) & (high > 0))
    assert 0.929 < np.mean(hits) < 0.971


def test_how_many_numbers_chance_leaves_is_known_though_they_move_together(tmp_path):
    """Of ten datasets: at most as many as are said in 19 of 20 cases, and more than the 5 % of numbers on their own."""
    datasets = [f"set{i}" for i in range(10)]
    runs = [write_run(tmp_path / name, seed, items=name, datasets=datasets) for seed, name in enumerate("ab")]
    counts = compare(*runs).counts
    assert (counts.model == "same").all() and (counts.by_chance > 0.05 * counts.with_interval).all()
    assert (counts.beyond_chance > counts.by_chance).sum() <= 2  # 3 of 10 by chance in 1 % of the cases


def test_other_settings_make_another_method(tmp_path):
    runs = [write_run(tmp_path / name, seed, items=name) for seed, name in enumerate("ab")]
    for run, level in zip(runs, (1.0, 1.2)):
        for method, setting in (("cve", level), ("spot_width", 1.0)):
            (folder := run / f"models/diffusion/report/{method}").mkdir(parents=True)
            models.write({"settings": [{"level": setting}]}, folder / "0.pt")
    found, counts = compare(*runs)
    other = found[found.model == "other"]
    assert set(other.method[other.kind == "classical"]) == {"cve"}
    assert "learned" in set(other.kind)  # without models of their own these borrow one, and any may be it
    assert counts.set_index("model").with_interval["other"] == other.ci_low.notna().sum()


def test_times_have_no_interval(tmp_path):
    found, _ = compare(*(write_run(tmp_path / name, seed, items=name) for seed, name in enumerate("ab")))
    times = found[found.metric == "seconds"]
    assert times.ci_low.isna().all() and not times.beyond_chance.any() and times.difference.notna().any()


def test_runs_without_a_method_in_common_are_refused(tmp_path):
    a, b = write_run(tmp_path / "a", 0), write_run(tmp_path / "b", 0)
    for method in (a / "scores/diffusion/report").iterdir():
        shutil.rmtree(b / "scores/diffusion/report" / method.name)
    with pytest.raises(ComparisonError, match="found no scores of what .* expected two runs with a method in common"):
        compare(a, b)


def test_the_command(tmp_path):
    runs = [str(write_run(tmp_path / name, seed, items=name)) for seed, name in enumerate("ab")]
    command = [sys.executable, "-m", "blurbench", "compare", *runs, "--csv", str(tmp_path / "both.csv")]
    said = subprocess.run(command, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    assert "diffusion: report" in said.stdout and (tmp_path / "both.csv").read_text().startswith(
        "problem,dataset,method"
    )
    said = subprocess.run([*command[:4], str(tmp_path / "none"), runs[0]], capture_output=True, text=True)
    assert said.returncode == 1 and "Traceback" not in said.stderr and "none" in said.stderr
