"""Published tables: their columns, their numbers, and that people's programs can open them."""

import json
import re
import sys
import warnings
from dataclasses import replace
from html.parser import HTMLParser
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from synthetic import GRID, METHODS, score_tables

from blurbench import problems
from blurbench.diffusion.score import METRICS
from blurbench.files import tables
from blurbench.planning.method import KINDS
from blurbench.running import machine
from blurbench.scoring.metric import numbers
from blurbench.scoring.scores import RANKED, read
from blurbench.tables import published, rendering, summary, timing
from blurbench.tables.settings import Settings
from blurbench.tables.tabulate import tabulate

DIRECTIONS = {"max", "min", "target"}
MACHINE = {"cpu": "a processor", "cores": 2, "gpu": None}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scores")
    paths = []
    for name, factor in (("report", 1.0), ("dim", 1.5)):
        for table in score_tables(name, factor=factor):
            paths.append(folder / f"{name}-{table.method[0]}-{table.seed[0]}.parquet")
            table.to_parquet(paths[-1])
    return paths


@pytest.fixture(scope="module")
def made(files):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ResourceWarning)  # of what another test left to be collected
        return tabulate("diffusion", read(files, ["D"]), Settings({}, 200, 1))


@pytest.fixture(scope="module")
def table(made):
    return made["csv"]


def rows(table, **where):
    for column, value in where.items():
        table = table[table[column] == value]
    return table.set_index("method")


def test_contract(table):
    assert list(table) == published.COLUMNS
    assert set(table.kind) == set(KINDS) and set(table.direction) <= DIRECTIONS
    assert set(table.condition) == {"all", *(f"D={D:g}" for D in GRID)}
    assert not table.duplicated(subset=["dataset", "condition", "method", "metric"]).any()
    names = "rmse_ln_d bias_ln_d sd_ln_d mae_um2_s rmse_um2_s coverage_68 coverage_95 success_rate seconds relative_sd"
    assert set(names.split()) <= set(table.metric)
    assert {"ratio_to_cramer_rao", "ratio_to_posterior"} <= set(table.metric)
    assert not any(name.endswith("realised") for name in table.metric)
    known = table.dropna(subset=["mean", "ci_low", "ci_high"])
    assert len(known) > 0.9 * len(table[table["mean"].notna()])
    assert ((known.ci_low <= known["mean"]) & (known["mean"] <= known.ci_high)).all()


def test_numbers_by_another_road(files, table):
    scores = pd.concat(map(pd.read_parquet, files))
    errors = scores[(scores.dataset == "report") & (scores.metric == "error_ln_d")]
    rmse = errors.groupby("method").value.apply(lambda e: np.sqrt((e**2).mean()))
    found = rows(table, dataset="report", condition="all", metric="rmse_ln_d")
    assert found["mean"].to_dict() == pytest.approx(rmse.to_dict())
    ratio = rows(table, dataset="report", condition="all", metric="ratio_to_cramer_rao")["mean"]
    assert ratio["ours"] == pytest.approx(rmse["ours"] / rmse["cramer_rao"])
    assert ratio["cramer_rao"] == pytest.approx(1)
    at_one = errors[(errors.D == 1) & (errors.method == "cve")].value
    assert rows(table, dataset="report", condition="D=1", metric="bias_ln_d")["mean"]["cve"] == pytest.approx(
        at_one.mean()
    )


def test_counts(table):
    found = rows(table, dataset="report", condition="all", metric="rmse_ln_d")
    assert (found.n_items == 7 * 30).all()
    assert found.n_seeds.to_dict() == {m: 2 if kind == "learned" else 1 for m, (kind, _) in METHODS.items()}
    assert found.n_failed["broken"] == 70 and found.n_failed.drop("broken").eq(0).all()
    assert rows(table, dataset="report", condition="all", metric="success_rate")["mean"]["broken"] == pytest.approx(
        2 / 3
    )
    assert set(rows(table, metric="relative_sd").condition) == {f"D={D:g}" for D in GRID}


def test_only_learned_and_classical_methods_are_ranked(table):
    found = rows(table, dataset="report", condition="all", metric="rmse_ln_d")
    assert list(found.sort_values("rank").index[:5]) == ["ours", "pix2d", "spot_width", "cve", "broken"]
    ranked = found.kind.isin(RANKED)
    assert found["rank"].notna().equals(ranked) and found.rank_high.notna().equals(ranked)
    assert ((found.rank_low <= found["rank"]) & (found["rank"] <= found.rank_high))[ranked].all()


def test_failures_cost_rank_and_not_the_mean(files):
    """`broken` is given the best estimates, and still fails on a third of the items."""
    frames = [pd.read_parquet(file) for file in files if file.name.startswith("report")]
    for frame in frames:
        if frame.method[0] == "broken":
            frame.loc[(frame.metric == "error_ln_d") & (frame.status == "ok"), "value"] = 0.01
    found = rows(
        published.table("diffusion", read(frames, ["D"]), numbers(METRICS), Settings({}, 50, 1)),
        condition="all",
        metric="rmse_ln_d",
    )
    assert found["mean"]["broken"] == pytest.approx(0.01) and found["rank"]["broken"] == 5


def test_methods_must_be_scored_on_the_same_items(files):
    frames = [pd.read_parquet(file) for file in files[:2]]
    frames[1] = frames[1][frames[1].item > 0].assign(method="other")
    with pytest.raises(ValueError, match="other items"):
        read(frames, ["D"])


def test_pairs(made):
    pairs = made["pairs"]
    columns = "dataset metric method_a method_b difference ci_low ci_high p_holm n_items"
    assert list(pairs) == columns.split() and set(pairs.metric) == {"rmse_ln_d"}
    assert len(pairs) == 2 * len(METHODS) * (len(METHODS) - 1) / 2
    pair = pairs[(pairs.dataset == "report") & (pairs.method_a == "ours") & (pairs.method_b == "cve")].iloc[0]
    assert pair.ci_high < 0 and pair.p_holm < 0.01


def test_realised_stands_apart_with_its_warning(made):
    table = made["realised_csv"]
    assert list(table) == published.COLUMNS and all(name.endswith("realised") for name in table.metric)
    assert "noisy statistic of D" in made["realised_md"]


def test_a_table_is_read_as_it_was_written(made, tmp_path):
    for name in ("csv", "pairs", "failures", "realised_csv"):
        tables.write(made[name], tmp_path / "table.csv")
        pd.testing.assert_frame_equal(tables.read(tmp_path / "table.csv"), made[name], check_exact=True)


def test_markdown(made):
    text = made["md"]
    assert "## report" in text and "## dim" in text
    block = text.split("## report\n")[1].split("## ")[0]
    lines = [line for line in block.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(METHODS)
    assert len({line.count("|") for line in lines}) == 1
    order = [line.split("|")[1].strip() for line in lines[2:]]
    assert order == ["**ours**", "pix2d", "**spot_width**", "cve", "broken", "posterior", "cramer_rao", "prior_mean"]


def test_html(made):
    class Tags(HTMLParser):
        stack, seen = [], {}

        def handle_starttag(self, tag, _):
            self.seen[tag] = self.seen.get(tag, 0) + 1
            if tag not in {"meta", "br"}:
                self.stack.append(tag)

        def handle_endtag(self, tag):
            assert self.stack.pop() == tag

    parser = Tags()
    parser.feed(made["html"])
    assert not parser.stack and parser.seen["table"] == 4


def test_tex(made):
    text = made["tex"]
    begun, ended = re.findall(r"\\begin\{(.+?)\}", text), re.findall(r"\\end\{(.+?)\}", text)
    assert sorted(begun) == sorted(ended) and begun.count("table") == 4
    assert r"\textbf{spot\_width}" in text
    for line in text.splitlines():
        if line.endswith(r"\\") and "&" in line:
            assert len(re.findall(r"(?<!\\)&", line)) in (8, 9), line
            assert not re.search(r"(?<!\\)[_%#]", line)


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        ((0.2345, 0.2211, 0.2501), "0.234 [0.221, 0.250]"),
        ((-0.012, -0.03, 0.01), "−0.012 [−0.030, 0.010]"),
        ((1.0, 1.0, 1.0), "1"),
        ((1234.5, 1100.0, 1400.0), "1234 [1100, 1400]"),
        ((np.nan, np.nan, np.nan), "–"),
        ((0.5, np.nan, np.nan), "0.5"),
    ],
)
def test_an_estimate_as_it_is_read(estimate, text):
    assert rendering.estimate(*estimate) == text


def test_timing(table, tmp_path):
    (tmp_path / "job.tsv").write_text("s\th:m:s\tmax_rss\n12.5\t0:00:12\t800.1\n")
    for seed, core_s in ((1, 9.0), (2, 11.0)):
        (tmp_path / f"{seed}.csv").write_text(f"items,seconds,core_s\n50,6.0,5.0\n100,12.0,{core_s}\n")
    trainings, curves = (
        [("diffusion", "report", "ours", seed) for seed in (1, 2)],
        [tmp_path / "1.csv", tmp_path / "2.csv"],
    )
    found = timing.table(table, trainings, curves, [tmp_path / "job.tsv", tmp_path / "none.tsv"], MACHINE)
    assert len(found) == 2 * len(METHODS) and set(found.cpu) == {"a processor"} and set(found.gpu) == {"none"}
    ours = found[(found.dataset == "report") & (found.method == "ours")].iloc[0]
    assert (ours.seconds_per_item, ours.train_seconds, ours.train_max_rss_mb) == (pytest.approx(0.01), 12.5, 800.1)
    assert (ours.train_items, ours.train_core_s) == (100, 10.0)  # the last row of each, and their mean over the seeds
    assert found.train_seconds.notna().sum() == 1


def results(made, **extra):
    return {"diffusion": summary.Results(made["csv"], made["pairs"], made["failures"], extra)}


def test_summary(made):
    text = summary.document(results(made, realised=made["realised_csv"]))
    assert "**ours 0." in text and "posterior 0." in text
    assert "- report, broken: 70 of 210: no spot found" in text
    assert "realised" not in text


def test_a_problem_may_make_a_table_of_its_own(files, monkeypatch):
    """Its module is given the scores and the datasets' entries; the summary sees the table and nothing else."""
    own = ModuleType("blurbench.diffusion.tables.own")
    own.TITLE, own.CAPTION = "what is best", "As was found."
    own.table = lambda scores, given: pd.DataFrame(
        [(one.dataset, given.datasets[one.dataset]["word"], len(one.methods), given.seed) for one in scores],
        columns=["dataset", "word", "n", "seed"],
    )
    own.blocks = lambda table: [("all", "Every dataset.", table.astype(str))]
    own.summary = lambda table: [("some", "One dataset.", one.astype(str))] if len(one := table[table.n == 1]) else []
    monkeypatch.setitem(sys.modules, own.__name__, own)
    declared = replace(problems.load("diffusion"), tables=("realised", "own"))
    monkeypatch.setattr(problems, "load", lambda name: declared)
    chosen = [file for file in files if file.name.startswith(("report-cve", "dim-cve", "dim-spot_width"))]
    entries = {"report": {"word": "egg"}, "dim": {"word": "ham"}}
    made = tabulate("diffusion", read(chosen, ["D"]), Settings(entries, 20, 7))
    assert made["own_csv"].to_numpy().tolist() == [["dim", "ham", 2, 7], ["report", "egg", 1, 7]]
    assert made["own_md"].startswith("# diffusion: what is best\n\nAs was found.\n\n## all\n")
    assert set(made["realised_csv"].method) == {"cve", "spot_width"}
    section = summary.document(results(made, own=made["own_csv"])).split("## diffusion: what is best\n")[1]
    assert "### some\n\nOne dataset." in section and "egg" in section and "ham" not in section
    none = made["own_csv"][:1]
    assert "what is best" not in summary.document(results(made, own=none))


def test_the_machine_is_described_without_naming_it():
    description = machine.describe()
    assert description["cores"] >= 1 and description["packages"]["numpy"] == np.__version__
    text = json.dumps(description)
    assert not re.search(r"/(home|root|work|tmp|Users)\b", text)
