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
from docutils import nodes
from docutils.core import publish_doctree
from synthetic import GRID, METHODS, dataset, predictions, score_tables

from blurbench import problems
from blurbench.diffusion.score import METRICS, score
from blurbench.files import models, tables
from blurbench.planning.method import KINDS
from blurbench.running import machine
from blurbench.scoring.metric import numbers
from blurbench.scoring.scores import RANKED, read
from blurbench.tables import (
    first_page,
    not_trained,
    pairs,
    published,
    rendering,
    summary,
    summary_page,
    terms,
    timing,
    verdict,
)
from blurbench.tables.settings import Settings
from blurbench.tables.tabulate import tabulate

DIRECTIONS = {"max", "min", "target"}
COMPARED = ("pix2d", "cve")  # what every learned method is tested against
NO_ONE = pd.DataFrame(columns=not_trained.COLUMNS)
OVER = "Ranks are not compared over datasets."
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
        return tabulate("diffusion", read(files, ["D"]), Settings({}, 200, 1, COMPARED, ("cramer_rao", "photon_floor")))


@pytest.fixture(scope="module")
def table(made):
    return made["csv"]


def rows(table, **where):
    for column, value in where.items():
        table = table[table[column] == value]
    return table.set_index("method")


def test_a_condition_may_be_a_name():
    named = [table.assign(D=[f"study {D:g}" for D in table.D]) for table in score_tables(per_D=4)]
    made = tabulate("diffusion", read(named, ["D"]), Settings({}, 100, 1, (), ()))
    assert set(made["csv"].condition) == {"all", *(f"D=study {D:g}" for D in GRID)}


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
    assert (table.interval == "none").equals(table.ci_low.isna()) and (table.interval == "items").sum() == len(known)
    assert set(table.method[table["mean"].notna() & (table.metric == "rmse_ln_d")]) == set(METHODS)
    bounds = table.method.isin(["cramer_rao", "photon_floor"])
    assert (table.interval[bounds] == "none").all()
    errors = table[~bounds & (table.method != "prior_mean") & (table.metric == "rmse_ln_d")]
    assert (errors.interval == "items").all()
    assert ((known.ci_low <= known["mean"]) & (known["mean"] <= known.ci_high)).all()


def test_numbers_by_another_road(files, table):
    scores = pd.concat(map(pd.read_parquet, files))
    errors = scores[(scores.dataset == "report") & (scores.metric == "error_ln_d")]
    errors = errors.assign(value=errors.value.fillna(errors.worst))
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


def test_a_failed_item_counts_alike_in_number_rank_and_pair(files):
    """`broken` is given the best estimates, and still fails on a third of the items."""
    frames = [pd.read_parquet(file) for file in files if file.name.startswith("report")]
    for frame in frames:
        if frame.method[0] == "broken":
            frame.loc[(frame.metric == "error_ln_d") & (frame.status == "ok"), "value"] = -0.01
    scores = read(frames, ["D"])
    made = published.table("diffusion", scores, numbers(METRICS), Settings({}, 50, 1))
    found = rows(made, condition="all", metric="rmse_ln_d")
    worst = np.log(100)  # the range of D
    assert found["mean"]["broken"] == pytest.approx(np.sqrt((worst**2 + 2 * 0.01**2) / 3))
    assert found["rank"]["broken"] == 5
    pair = pairs.table(scores, *numbers(METRICS)[0], Settings({}, 50, 1)).set_index(["method_a", "method_b"])
    assert pair.difference["broken", "cve"] == pytest.approx(found["mean"]["broken"] - found["mean"]["cve"])
    bias = rows(made, condition="all", metric="bias_ln_d")["mean"]["broken"]
    assert bias == pytest.approx(-(worst + 2 * 0.01) / 3)  # on the side of the other errors
    coverage = rows(made, condition="all", metric="coverage_95")["mean"]
    assert np.isnan(coverage["broken"])  # it never gives an interval, and its failures do not make it one


def seeded(seeds, n=120):
    """Score tables of one learned method with so many training seeds, and of a classical one, in three cells."""
    rng = np.random.default_rng(3)
    truth = dataset(np.repeat((0.1, 1, 10), n // 3))
    D = truth.items["D"].to_numpy()
    for method, kind, run in [*(("ours", "learned", k) for k in range(seeds)), ("cve", "classical", 0)]:
        table = score(truth, predictions(D * np.exp((0.3 + 0.1 * run) * rng.normal(size=n))))
        yield table.assign(dataset="one", method=method, kind=kind, seed=run)


@pytest.mark.parametrize(
    ("seeds", "interval", "note"),
    [
        (1, "items", "for the networks at hand (1 training seed)"),
        (2, "items", "for the networks at hand (2 training seeds)"),
        (3, "items, seeds", "those of learned methods over training seeds as well"),
    ],
)
def test_a_table_says_what_its_intervals_are_over(seeds, interval, note):
    made = tabulate("diffusion", read(seeded(seeds), ["D"]), Settings({}, 200, 1))
    found = rows(made["csv"], condition="all", metric="rmse_ln_d")
    assert found.interval.to_dict() == {"ours": interval, "cve": "items"}
    assert note in made["md"]
    width = np.log(found.ci_high / found.ci_low)
    assert (width["ours"] > 2 * width["cve"]) == (seeds >= 3)


def test_few_items_have_no_interval_and_make_no_claim():
    made = tabulate("diffusion", read(seeded(1, n=21), ["D"]), Settings({}, 50, 1, ("cve",)))
    table = made["csv"]
    assert (table.interval[table.condition != "all"] == "none").all()  # seven items
    assert table.ci_low[table.condition != "all"].isna().all()
    assert table.rank_low[table.condition != "all"].isna().all()
    assert "as few as 7 under a condition: too few for a claim about it" in made["md"]
    assert "D=0.1 †" in made["md"]
    text = summary.document(results(made), NO_ONE)
    assert re.search(r"\| 7 † +\|", text) and rendering.FEW in text


def test_intervals_are_those_within_cells():
    """Cells that differ by far more than the items of one: what is between cells is the design's and no error."""
    truth = dataset(np.repeat((0.1, 1, 10), 40))
    D, rng = truth.items["D"].to_numpy(), np.random.default_rng(5)
    errors = np.log10(D) + 0.1 * rng.normal(size=120)
    table = score(truth, predictions(D * np.exp(errors))).assign(dataset="one", method="a", kind="classical", seed=0)
    found = rows(
        published.table("diffusion", read([table], ["D"]), numbers(METRICS), Settings({}, 2000, 1)),
        condition="all",
        metric="bias_ln_d",
    )
    # Clipped to the range of D at both ends, errors there scatter by less: 0.1 in the middle, next to nothing outside.
    clipped = np.clip(errors + np.log(D), np.log(0.1), np.log(10)) - np.log(D)
    variance = clipped.reshape(3, 40).var(axis=1, ddof=1).sum() / 9 / 40
    assert found.ci_high["a"] - found.ci_low["a"] == pytest.approx(2 * 1.98 * np.sqrt(variance), rel=0.06)


def test_methods_must_be_scored_on_the_same_items(files):
    frames = [pd.read_parquet(file) for file in files[:2]]
    frames[1] = frames[1][frames[1].item > 0].assign(method="other")
    with pytest.raises(ValueError, match="other items"):
        read(frames, ["D"])


def test_pairs(made):
    pairs = made["pairs"]
    columns = "dataset metric method_a method_b difference ci_low ci_high p_holm n_items"
    assert list(pairs) == columns.split() and set(pairs.metric) == {"rmse_ln_d"}
    ranked = [method for method, (kind, _) in METHODS.items() if kind in RANKED]
    assert len(pairs) == 2 * len(ranked) * (len(ranked) - 1) / 2
    assert set(pairs.method_a) | set(pairs.method_b) == set(ranked)  # neither limits nor controls
    pair = pairs[(pairs.dataset == "report") & (pairs.method_a == "ours") & (pairs.method_b == "cve")].iloc[0]
    assert pair.ci_high < 0 and pair.p_holm < 0.01
    tested = pairs[pairs.p_holm.notna()]
    family = {("ours", "pix2d"), ("ours", "cve"), ("pix2d", "cve")}
    assert set(zip(tested.method_a, tested.method_b)) == family and len(tested) == 2 * len(family)


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
    assert not parser.stack
    # Numbers over all D and at each of two datasets, the former against the realised D too, and the pairs; each once
    # more for who has no JavaScript.
    assert parser.seen["table"] == 2 * (2 * 2 + 2 + 1)


def test_every_number_of_the_page_of_a_problem_is_explained_on_it(made):
    declared = {number.label for metric in METRICS for number in metric.published if number.label}
    assert set(problems.find("diffusion", "terms.TERMS")) == declared
    for metric, number in numbers(METRICS):
        if number.label:
            assert f"<dt>{terms.heading(metric, number)}</dt>" in made["html"]
    text = made["html"]
    assert "RMSE of ln D ↓" in text and "bias of ln D → 0" in text and "coverage of 95 % → 0.95" in text


def test_pages_ask_no_server_for_anything(made):
    """Not even for what they hold already: a link that is clicked on is none of these."""
    assert not re.findall(r"""(?:src=|from |import\()["']?https?:|<link|@import""", made["html"])


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
        ((1.0, 1.0, 1.0), "1.00"),
        ((1234.5, 1100.0, 1400.0), "1234 [1100, 1400]"),
        ((30.1234, 30.1034, 30.1434), "30.123 [30.103, 30.143]"),
        ((4.12e-6, 4.05e-6, 4.21e-6), "0.000004120 [0.000004050, 0.000004210]"),
        ((-0.0004, -0.03, 0.03), "0.000 [−0.030, 0.030]"),
        ((np.nan, np.nan, np.nan), "–"),
        ((0.5, np.nan, np.nan), "0.500"),
        ((1234.5, np.nan, np.nan), "1234"),
        ((-4.48e-5, np.nan, np.nan), "−0.0000448"),
        ((1e-17, -1e-17, 2e-17), "0"),
    ],
)
def test_an_estimate_as_it_is_read(estimate, text):
    assert rendering.estimate(*estimate) == text


def test_timing(table, tmp_path):
    (tmp_path / "job.tsv").write_text("s\th:m:s\tmax_rss\n12.5\t0:00:12\t800.1\n")
    for seed, core_s in ((1, 9.0), (2, 11.0)):
        (tmp_path / f"{seed}.csv").write_text(f"items,seconds,core_s\n50,6.0,5.0\n100,12.0,{core_s}\n")
    (tmp_path / "3.csv").write_text("items,seconds,core_s\n")  # of one that raised
    trainings, curves = zip(*((("diffusion", "report", "ours", seed), tmp_path / f"{seed}.csv") for seed in (1, 2, 3)))
    for seed, max_rss in ((1, "400.0"), (2, "500.0"), (3, "NA")):  # which is one that ended before it was looked at
        (tmp_path / f"predict_{seed}.tsv").write_text(f"s\tmax_rss\n1.5\t{max_rss}\n")
    predicted = [tmp_path / f"predict_{seed}.tsv" for seed in (1, 2, 3, 4)]
    predictions = [*trainings, ("diffusion", "dim", "ours", 1)]
    benchmarks = [tmp_path / "job.tsv", tmp_path / "none.tsv", tmp_path / "job.tsv"]
    found = timing.table(table, predicted, predictions, trainings, curves, benchmarks, MACHINE)
    assert len(found) == 2 * len(METHODS) and set(found.cpu) == {"a processor"} and set(found.gpu) == {"none"}
    ours = found[(found.dataset == "report") & (found.method == "ours")].iloc[0]
    assert (ours.seconds_per_item, ours.train_seconds, ours.train_max_rss_mb) == (pytest.approx(0.01), 12.5, 800.1)
    assert (ours.train_items, ours.train_core_s) == (100, 10.0)  # the last row of each, and their mean over the seeds
    assert found.train_seconds.notna().sum() == 1 and ours.n_trainings == 2
    assert ours.predict_max_rss_mb == 450 and found.predict_max_rss_mb.notna().sum() == 1


def results(made, **extra):
    return {"diffusion": summary.Results(made["csv"], made["pairs"], made["failures"], extra, OVER)}


def test_summary(made):
    text = summary.document(results(made, realised=made["realised_csv"]), NO_ONE)
    assert "**ours 0." in text and "posterior 0." in text
    assert "- report, broken: 70 of 210: no spot found" in text
    assert "realised" not in text and f"\n\n{OVER}\n\n" in text
    assert "best learned less cve" in text and "(×0." in text and summary.PASSED in text
    assert "not shown to be better" not in text and rendering.FEW not in text


def test_the_summary_says_who_is_ahead_by_how_much_and_where_the_limit_is(made):
    """SDs of ln D of 0.2, 0.35 and 0.12 (METHODS), of 210 items: known to 5 % each."""
    text = summary.document(results(made), NO_ONE)
    (line,) = (line for line in text.splitlines() if line.startswith("- report: "))
    found = re.fullmatch(
        r"- report: learned ours has the best RMSE of ln D, (0\.\d+) \[.+\]; the best classical method, spot_width, "
        r"has (0\.\d+) \[.+\], a difference of (0\.\d+) \[.+\]; from cve, a difference of .+\. "
        r"Limits: .*posterior (0\.\d+).*\.",
        line,
    )
    ours, other, difference, limit = map(float, found.groups())
    assert (ours, other, limit) == (
        pytest.approx(0.2, rel=0.1),
        pytest.approx(0.35, rel=0.15),
        pytest.approx(0.12, rel=0.15),
    )
    assert difference == pytest.approx(other - ours, abs=0.002)
    assert (
        problems.question("diffusion").startswith("Diffusion coefficient of one molecule")
        and problems.question("diffusion") in text
    )


def test_the_page_of_the_summary_needs_no_network_and_holds_every_method(made, table):
    times = timing.table(table, [], [], [], [], [], {"cpu": "a processor", "cores": 2, "gpu": None})
    about = {"run": "<tiny>", "commit": "none"}
    text = summary_page.document(about, results(made), times, ["diffusion, report, ours, seed 2: ValueError"])
    assert "&lt;tiny&gt;" in text and "<tiny>" not in text
    assert not re.findall(r"""(?:src=|from |import\()["']?https?:|<link|@import""", text)
    shown = summary_page.overview(made["csv"], *numbers(METRICS)[0], times)
    assert set(zip(shown["dataset"], shown["method"])) == set(zip(table["dataset"], table["method"]))
    assert list(shown["dataset"].unique()) == list(made["csv"]["dataset"].unique())
    assert OVER in text
    broken = shown[shown["method"] == "broken"].iloc[0]
    assert broken["failed"] == "70" and float(broken["RMSE of ln D ↓"]) > 0
    assert "Not trained" in text and "seed 2: ValueError" in text


def test_the_first_page_names_the_software_that_is_installed():
    """In an environment of conda neither this library nor Snakemake is."""
    here = {**MACHINE, "commit": None, "memory_gb": 1.0, "python": "3.11.7", "packages": {"torch": "2.13.0"}}
    about = summary_page.about("tiny", 1, ["config/config.yaml", "config/laptop.yaml"], here)
    assert about["software"] == "Python 3.11.7, torch 2.13.0"
    assert about["configuration"] == "config/config.yaml, then config/laptop.yaml"


def test_the_first_page_of_the_report_says_what_was_run_and_what_came_out_whatever_the_names(made):
    about = {"run": "tiny_", "machine": "*a* `processor` |1|"}
    text = first_page.document(about, results(made), ["diffusion, report, ours_, seed 2: ValueError: *what*"])
    parsed = publish_doctree(text, settings_overrides={"report_level": 1, "halt_level": 1})
    fields = {field[0].astext(): field[1].astext() for field in parsed.findall(nodes.field)}
    assert fields == about
    lines = [item.astext() for item in parsed.findall(nodes.list_item)]
    assert lines[0] == "diffusion, report, ours_, seed 2: ValueError: *what*"
    number = numbers(METRICS)[0][1]
    assert lines[1:] == list(verdict.sentences(made["csv"], made["pairs"], number).values()) and len(lines) == 3


def test_the_summary_names_each_training_that_raised(made, tmp_path):
    models.write({"network": [1.0]}, tmp_path / "1.pt")
    models.write_not_trained({"method": "ours"}, "ValueError: nothing to learn", tmp_path / "2.pt")
    trainings = [("diffusion", "report", "ours", seed) for seed in (1, 2)]
    found = not_trained.table(trainings, [tmp_path / "1.pt", tmp_path / "2.pt"], ["logs/1.log", "logs/2.log"])
    assert list(found) == not_trained.COLUMNS and found["seed"].tolist() == [2]
    text = summary.document(results(made), found)
    assert "- diffusion, report, ours, seed 2: ValueError: nothing to learn (logs/2.log)\n" in text
    assert "## Not trained" in text and "## Not trained" not in summary.document(results(made), NO_ONE)


def test_the_summary_names_who_does_not_beat_what_it_is_tested_against(files):
    chosen = [file for file in files if file.name.startswith("report")]
    made = tabulate("diffusion", read(chosen, ["D"]), Settings({}, 200, 1, ("ours", "cve")))
    lines = summary.document(results(made), NO_ONE).splitlines()
    (line,) = (line for line in lines if line.startswith("- report, ") and "no spot found" not in line)
    assert re.fullmatch(r"- report, ours: pix2d \(0\.\d+ \[0\.\d+, 0\.\d+\], p = .+\)", line)


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
    assert made["own_csv"].to_numpy().tolist() == [["report", "egg", 1, 7], ["dim", "ham", 2, 7]]  # the entries' order
    assert made["own_md"].startswith("# diffusion: what is best\n\nAs was found.\n\n## all\n")
    assert set(made["realised_csv"].method) == {"cve", "spot_width"}
    section = summary.document(results(made, own=made["own_csv"]), NO_ONE).split("## diffusion: what is best\n")[1]
    assert "### some\n\nOne dataset." in section and "egg" in section and "ham" not in section
    none = made["own_csv"][1:]
    assert "what is best" not in summary.document(results(made, own=none), NO_ONE)


def test_the_machine_is_described_without_naming_it():
    description = machine.describe()
    assert description["cores"] >= 1 and description["packages"]["numpy"] == np.__version__
    text = json.dumps(description)
    assert not re.search(r"/(home|root|work|tmp|Users)\b", text)
