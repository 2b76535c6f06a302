"""Published tables: their columns, their numbers, and that people's programs can open them."""

import json
import re
import sys
import warnings
from html.parser import HTMLParser
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from synthetic import GRID, METHODS, score_tables

from blurbench import diffusion
from blurbench.diffusion.score import METRICS
from blurbench.running import machine
from blurbench.scoring.scores import RANKED, read
from blurbench.tables import published, rendering

KINDS, DIRECTIONS = {"learned", "classical", "limit", "control"}, {"max", "min", "target"}


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
def stem(files, tmp_path_factory):
    stem = tmp_path_factory.mktemp("tables") / "diffusion"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ResourceWarning)  # of what another test left to be collected
        published.write("diffusion", files, stem, resamples=200)
    return stem


@pytest.fixture(scope="module")
def table(stem):
    return pd.read_csv(f"{stem}.csv", dtype={"unit": str})


def rows(table, **where):
    for column, value in where.items():
        table = table[table[column] == value]
    return table.set_index("method")


def test_contract(table):
    assert list(table) == published.COLUMNS
    assert set(table.kind) == KINDS and set(table.direction) <= DIRECTIONS
    assert set(table.condition) == {"all", *(f"D={D:g}" for D in GRID)}
    assert not table.duplicated(subset=["dataset", "condition", "method", "metric"]).any()
    names = "rmse_ln_d bias_ln_d sd_ln_d mae_um2_s rmse_um2_s coverage_68 coverage_95 success_rate seconds relative_sd"
    assert set(names.split()) <= set(table.metric)
    assert {"ratio_to_cramer_rao", "ratio_to_photon_floor"} <= set(table.metric)
    assert not any(name.endswith("realised") for name in table.metric)
    known = table.dropna(subset=["mean", "ci_low", "ci_high"])
    assert len(known) > 0.9 * len(table[table["mean"].notna()])
    assert ((known.ci_low <= known["mean"]) & (known["mean"] <= known.ci_high)).all()


def test_numbers_by_another_road(files, table):
    scores = pd.concat(map(pd.read_parquet, files))
    errors = scores[(scores.dataset == "report") & (scores.metric == "error_ln_d")]
    rmse = errors.groupby("method").value.apply(lambda e: np.sqrt((e**2).mean()))
    found = rows(table, dataset="report", condition="all", metric="rmse_ln_d")
    assert found["mean"].to_dict() == pytest.approx(rmse.to_dict(), rel=1e-5)
    ratio = rows(table, dataset="report", condition="all", metric="ratio_to_cramer_rao")["mean"]
    assert ratio["ours"] == pytest.approx(rmse["ours"] / rmse["cramer_rao"], rel=1e-5)
    assert ratio["cramer_rao"] == pytest.approx(1)
    at_one = errors[(errors.D == 1) & (errors.method == "cve")].value
    assert rows(table, dataset="report", condition="D=1", metric="bias_ln_d")["mean"]["cve"] == pytest.approx(
        at_one.mean(), rel=1e-4
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
    found = rows(published.build("diffusion", read(frames, ["D"]), METRICS, 50), condition="all", metric="rmse_ln_d")
    assert found["mean"]["broken"] == pytest.approx(0.01) and found["rank"]["broken"] == 5


def test_methods_must_be_scored_on_the_same_items(files):
    frames = [pd.read_parquet(file) for file in files[:2]]
    frames[1] = frames[1][frames[1].item > 0].assign(method="other")
    with pytest.raises(ValueError, match="other items"):
        read(frames, ["D"])


def test_pairs(stem):
    pairs = pd.read_csv(f"{stem}_pairs.csv")
    columns = "dataset metric method_a method_b difference ci_low ci_high p_holm n_items"
    assert list(pairs) == columns.split() and set(pairs.metric) == {"rmse_ln_d"}
    assert len(pairs) == 2 * len(METHODS) * (len(METHODS) - 1) / 2
    pair = pairs[(pairs.dataset == "report") & (pairs.method_a == "ours") & (pairs.method_b == "cve")].iloc[0]
    assert pair.ci_high < 0 and pair.p_holm < 0.01


def test_realised_stands_apart_with_its_warning(stem):
    table = pd.read_csv(f"{stem}_realised.csv")
    assert list(table) == published.COLUMNS and all(name.endswith("realised") for name in table.metric)
    assert "noisy statistic of D" in stem.with_name("diffusion_realised.md").read_text(encoding="utf-8")


def test_markdown(stem):
    text = stem.with_suffix(".md").read_text(encoding="utf-8")
    assert "## report" in text and "## dim" in text
    block = text.split("## report\n")[1].split("## ")[0]
    lines = [line for line in block.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(METHODS)
    assert len({line.count("|") for line in lines}) == 1
    order = [line.split("|")[1].strip() for line in lines[2:]]
    assert order == ["**ours**", "pix2d", "**spot_width**", "cve", "broken", "photon_floor", "cramer_rao", "prior_mean"]


def test_html(stem):
    class Tags(HTMLParser):
        stack, seen = [], {}

        def handle_starttag(self, tag, _):
            self.seen[tag] = self.seen.get(tag, 0) + 1
            if tag not in {"meta", "br"}:
                self.stack.append(tag)

        def handle_endtag(self, tag):
            assert self.stack.pop() == tag

    parser = Tags()
    parser.feed(stem.with_suffix(".html").read_text(encoding="utf-8"))
    assert not parser.stack and parser.seen["table"] == 4


def test_tex(stem):
    text = stem.with_suffix(".tex").read_text(encoding="utf-8")
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
def test_number(estimate, text):
    assert rendering.number(*estimate) == text


def test_overview(stem, tmp_path):
    (tmp_path / "machine.json").write_text(json.dumps({"cpu": "a processor", "cores": 2, "gpu": None}))
    (tmp_path / "job.tsv").write_text("s\th:m:s\tmax_rss\n12.5\t0:00:12\t800.1\n")
    jobs = {("diffusion", "report", "ours", seed): tmp_path / name for seed, name in ((1, "job.tsv"), (2, "none.tsv"))}
    published.write_overview(
        {"diffusion": stem}, jobs, tmp_path / "machine.json", tmp_path / "timing.csv", tmp_path / "summary.md"
    )
    timing = pd.read_csv(tmp_path / "timing.csv")
    assert len(timing) == 2 * len(METHODS) and set(timing.cpu) == {"a processor"} and set(timing.gpu) == {"none"}
    ours = timing[(timing.dataset == "report") & (timing.method == "ours")].iloc[0]
    assert (ours.seconds_per_item, ours.train_seconds, ours.train_max_rss_mb) == (0.01, 12.5, 800.1)
    assert timing.train_seconds.notna().sum() == 1
    summary = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert "**ours 0." in summary and "photon_floor 0." in summary
    assert "- report, broken: 70 of 210: no spot found" in summary


def test_a_problem_may_make_a_table_of_its_own(files, tmp_path, monkeypatch):
    """Its module is given the scores and the datasets' entries; the summary reads the CSV and nothing else."""
    own = ModuleType("blurbench.diffusion.own")
    own.TITLE, own.CAPTION = "what is best", "As was found."
    own.table = lambda scores, datasets, resamples, seed: pd.DataFrame(
        [(one.dataset, datasets[one.dataset]["word"], len(one.methods), 1 / 3) for one in scores],
        columns=["dataset", "word", "n", "share"],
    )
    own.blocks = lambda table: [("all", "Every dataset.", table.astype(str))]
    own.summary = lambda table: [("some", "One dataset.", table[table.n == 1].astype(str))]
    monkeypatch.setitem(sys.modules, own.__name__, own)
    monkeypatch.setattr(diffusion, "EXTRA_TABLES", ("realised", "own"))
    monkeypatch.setattr(diffusion, "SUMMARY_TABLES", ("own",), raising=False)
    chosen = [file for file in files if file.name.startswith(("report-cve", "dim-cve", "dim-spot_width"))]
    entries = {"report": {"word": "egg"}, "dim": {"word": "ham"}}
    published.write("diffusion", chosen, tmp_path / "diffusion", resamples=20, datasets=entries)
    assert (tmp_path / "diffusion_own.csv").read_text().split() == [
        "dataset,word,n,share",
        "dim,ham,2,0.333333",
        "report,egg,1,0.333333",
    ]
    assert (
        (tmp_path / "diffusion_own.md").read_text().startswith("# diffusion: what is best\n\nAs was found.\n\n## all\n")
    )
    assert (tmp_path / "diffusion_realised.csv").exists()
    (tmp_path / "machine.json").write_text(json.dumps({"cpu": "a processor", "cores": 2, "gpu": None}))
    overview = tmp_path / "machine.json", tmp_path / "timing.csv", tmp_path / "summary.md"
    published.write_overview({"diffusion": tmp_path / "diffusion"}, {}, *overview)
    section = overview[-1].read_text(encoding="utf-8").split("## diffusion: what is best\n")[1]
    assert "### some\n\nOne dataset." in section and "egg" in section and "ham" not in section
    own.summary = lambda table: []
    published.write_overview({"diffusion": tmp_path / "diffusion"}, {}, *overview)
    assert "what is best" not in overview[-1].read_text(encoding="utf-8")


def test_the_machine_is_described_without_naming_it():
    description = machine.describe()
    assert description["cores"] >= 1 and description["packages"]["numpy"] == np.__version__
    text = json.dumps(description)
    assert not re.search(r"/(home|root|work|tmp|Users)\b", text)
