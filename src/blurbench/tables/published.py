"""Published tables: score tables in; means with intervals, ranks, paired differences, failures and timings out."""

import json
from functools import cache
from importlib import import_module
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from blurbench import problems
from blurbench.files import checksums
from blurbench.scoring.scores import OK, RANKED, Scores, read
from blurbench.scoring.statistics import paired_differences, ranks, replicate, resampling_weights
from blurbench.tables import rendering

COLUMNS = (
    "problem dataset condition method kind metric unit direction mean ci_low ci_high n_items n_seeds n_failed "
    "rank rank_low rank_high"
).split()
DIGITS = "%.6g"


def write(problem, files, stem, resamples=1000, seed=1, datasets=None):
    """Every table of one problem.

    An extra table holds the metrics that name it. One that the problem also has among its SUMMARY_TABLES is made by the
    module of its name instead, with

    - `table(scores, datasets, resamples, seed)`, the frame for the CSV,
    - `blocks(table)` and `summary(table)`, (heading, note, rows of strings) for its own Markdown and for summary.md,
    - `TITLE` and `CAPTION`.

    Parameters
    ----------
    problem : a folder of blurbench
    files : score tables (parquet) of all its datasets, methods and seeds
    stem : path without suffix. Written are its .csv .md .html .tex, the paired differences `_pairs.csv`, the failed
        predictions by status `_failures.csv`, per extra table of the problem `_<name>.csv` and `.md`, and the checksums
        of them all, `.sha256`
    resamples : of the bootstrap
    seed : of the bootstrap
    datasets : {name: dataset entry of the configuration}
    """
    declared, definition = problems.load(problem), import_module(f"blurbench.{problem}.score")
    scores = read(files, declared.conditions)
    stem = Path(stem)
    stem.parent.mkdir(parents=True, exist_ok=True)
    own = _summary_tables(problem)
    for name, module in own.items():
        table = module.table(scores, datasets or {}, resamples, seed)
        table.to_csv(f"{stem}_{name}.csv", index=False, float_format=DIGITS)
        text = rendering.document(f"{problem}: {module.TITLE}", module.CAPTION, module.blocks(table))
        Path(f"{stem}_{name}.md").write_text(text, encoding="utf-8")
    for name in ("", *declared.tables):
        if name in own:
            continue
        metrics = {key: metric for key, metric in definition.METRICS.items() if metric.table == name}
        table = build(problem, scores, metrics, resamples, seed)
        path = stem.with_name(f"{stem.name}_{name}" if name else stem.name)
        table.to_csv(path.with_suffix(".csv"), index=False, float_format=DIGITS)
        caption = " ".join(filter(None, [definition.CAPTION, definition.NOTES.get(name)]))
        rendering.write(table, metrics, f"{problem}, {name}" if name else problem, caption, path, all_formats=not name)
    primary = next(iter(definition.METRICS.items()))
    pairs(scores, *primary, resamples, seed).to_csv(f"{stem}_pairs.csv", index=False, float_format=DIGITS)
    failures(scores).to_csv(f"{stem}_failures.csv", index=False)
    extra = [f"_{name}.{ending}" for name in declared.tables for ending in ("csv", "md")]
    endings = [".csv", ".md", ".html", ".tex", "_pairs.csv", "_failures.csv", *extra]
    checksums.write([f"{stem}{ending}" for ending in endings], f"{stem}.sha256")


def _summary_tables(problem):
    """{name: module} of the extra tables that a problem makes by itself and that the summary shows."""
    folder = problems.LIBRARY / problem / "tables"
    names = [name for name in problems.load(problem).tables if (folder / f"{name}.py").exists()]
    return {name: import_module(f"blurbench.{problem}.tables.{name}") for name in names}


def build(problem, scores: list[Scores], metrics, resamples=1000, seed=1) -> pd.DataFrame:
    """Published table, one row per dataset, condition, method and metric, with the columns COLUMNS.

    `mean` is the metric over the items that did not fail, its interval is a 95 % BCa bootstrap over items. `n_items`
    counts the items of the condition, `n_failed` the failed predictions (items times seeds). The rank is among learned
    and classical methods, a failed item counting as the worst value there; other kinds have none.
    """
    weights = cache(lambda n: resampling_weights(n, resamples, seed))
    parts = []
    for whole in scores:
        for condition, subset in [("all", whole), *_conditions(whole)]:
            for name, metric in metrics.items():
                if metric.item in subset.values and not (metric.fixed_condition and condition == "all"):
                    rows = _rows(subset, name, metric, weights(len(subset.items)))
                    parts.append(rows.assign(problem=problem, dataset=whole.dataset, condition=condition))
    return pd.concat(parts, ignore_index=True)[COLUMNS] if parts else pd.DataFrame(columns=COLUMNS)


def _conditions(scores):
    """(name, scores) of every value of every condition, and of every combination of values that occurs."""
    columns = sorted(scores.items)
    for chosen in (c for n in range(1, len(columns) + 1) for c in combinations(columns, n)):
        table = scores.items[list(chosen)]
        for values in table.drop_duplicates().sort_values(list(chosen)).itertuples(index=False):
            name = ", ".join(f"{column}={value:g}" for column, value in zip(chosen, values))
            yield name, scores.take((table == list(values)).all(axis=1).to_numpy())


def _rows(scores, name, metric, weights):
    """The rows of one metric under one condition, and of its ratios to the limits."""
    values = scores.values[metric.item]
    plain = replicate(values, metric.reduce, weights)
    shared = {
        "method": scores.methods.method,
        "kind": scores.methods.kind,
        "direction": metric.direction,
        "n_items": len(scores.items),
        "n_seeds": scores.methods.seeds,
        "n_failed": scores.failed.sum(axis=(1, 2)),
        **_ranks(scores, metric, plain, weights),
    }
    parts = [{**shared, "metric": name, "unit": metric.unit, **_estimate(plain)}]
    for limit in np.flatnonzero(scores.methods.kind == "limit") if metric.to_limits else ():
        bound = values[limit, :1][None]
        both = np.isfinite(values) & np.isfinite(bound)
        ratio = replicate(np.where(both, values, np.nan), metric.reduce, weights).combine(
            np.divide, replicate(np.where(both, bound, np.nan), metric.reduce, weights)
        )
        ratio.value[~np.isfinite(ratio.value)] = np.nan  # a limit of 0 bounds nothing
        parts.append({**shared, "metric": f"ratio_to_{scores.methods.method[limit]}", "unit": "1", **_estimate(ratio)})
    return pd.concat(map(pd.DataFrame, parts))


def _estimate(replicates):
    low, high = replicates.interval()
    return {"mean": replicates.value, "ci_low": low, "ci_high": high}


def _ranks(scores, metric, plain, weights):
    """Ranks and their intervals, a failed item counting as the worst value."""
    badness = plain.combine(lambda value, _: metric.badness(value), plain)
    failing = np.flatnonzero(scores.failed.any(axis=(1, 2)))
    if len(failing):
        values, worst = (table[metric.item][failing] for table in (scores.values, scores.worst))
        penalised = replicate(values, metric.reduce, weights, worst)
        # A method that never gives the quantity is not ranked by the bound of its failures.
        silent = np.isnan(plain.value[failing]) & (scores.status[failing] == OK).any(axis=(1, 2))
        penalised.value[silent] = np.nan
        badness.value[failing] = metric.badness(penalised.value)
        badness.resampled[:, failing] = metric.badness(penalised.resampled)
    ranked = np.flatnonzero(scores.methods.kind.isin(RANKED))
    result = {}
    for key, values in zip(("rank", "rank_low", "rank_high"), ranks(badness[ranked])):
        result[key] = np.full(len(scores.methods), np.nan)
        result[key][ranked] = values
    return result


def pairs(scores: list[Scores], name, metric, resamples=1000, seed=1) -> pd.DataFrame:
    """Paired differences of one metric between all methods of each dataset, over all its conditions.

    A failed item counts as the worst value, as in the ranking. Columns: dataset, metric and those of
    `statistics.paired_differences`.
    """
    parts = []
    for one in scores:
        worst = one.worst[metric.item]
        values = np.where(np.isnan(worst), one.values[metric.item], worst)
        replicates = replicate(values, metric.reduce, resampling_weights(len(one.items), resamples, seed))
        losses = metric.badness(values) if metric.reduce == "mean" else np.abs(values)
        known = np.isfinite(losses)
        losses = np.where(known, losses, 0).sum(axis=1) / np.where(known.any(axis=1), known.sum(axis=1), np.nan)
        parts.append(
            paired_differences(replicates, losses, one.methods.method).assign(dataset=one.dataset, metric=name)
        )
    table = pd.concat(parts, ignore_index=True)
    return table[["dataset", "metric", *table.columns.drop(["dataset", "metric"])]]


def failures(scores: list[Scores]) -> pd.DataFrame:
    """Failed predictions: dataset, method, kind, status, n_failed, n (all predictions of the method)."""
    rows = []
    for one in scores:
        for (method, kind, seeds), status, failed in zip(one.methods.itertuples(index=False), one.status, one.failed):
            for reason, count in pd.Series(status[failed]).value_counts().sort_index().items():
                rows.append((one.dataset, method, kind, reason, count, seeds * len(one.items)))
    return pd.DataFrame(rows, columns=["dataset", "method", "kind", "status", "n_failed", "n"])


def timing(table, benchmarks, machine) -> pd.DataFrame:
    """Time and memory by method, with the machine that they were measured on.

    Parameters
    ----------
    table : published table with the metric `seconds`
    benchmarks : {(problem, dataset, method, seed): path} of the training jobs' benchmark files; an absent file or
        value is NaN
    machine : dict of `machine.describe`
    """
    rows = table[(table.metric == "seconds") & (table.condition == "all")]
    rows = rows[["problem", "dataset", "method", "kind", "mean"]].rename(columns={"mean": "seconds_per_item"})
    jobs = [
        {"problem": problem, "dataset": dataset, "method": method, **_benchmark(path)}
        for (problem, dataset, method, _), path in benchmarks.items()
        if Path(path).exists()
    ]
    columns = ["problem", "dataset", "method", "train_seconds", "train_max_rss_mb"]
    jobs = pd.DataFrame(jobs, columns=columns).groupby(columns[:3], as_index=False).mean()
    rows = rows.merge(jobs, how="left", on=columns[:3])
    return rows.assign(cpu=machine["cpu"], cores=machine["cores"], gpu=machine["gpu"] or "none")


def _benchmark(path):
    job = pd.read_csv(path, sep="\t").apply(pd.to_numeric, errors="coerce").mean()
    return {"train_seconds": job["s"], "train_max_rss_mb": job["max_rss"]}


def write_overview(stems, benchmarks, machine, timing_path, summary_path):
    """The two tables over all problems, with their checksums beside the summary.

    Parameters
    ----------
    stems : {problem: stem of `write`}
    benchmarks : as in `timing`
    machine : path of machine.json
    timing_path : timing.csv to write
    summary_path : summary.md to write: per problem and dataset the best methods, the limits and the failures, and what
        the problem's SUMMARY_TABLES add
    """
    tables = {problem: pd.read_csv(f"{stem}.csv", dtype={"unit": str}) for problem, stem in stems.items()}
    machine = json.loads(Path(machine).read_text(encoding="utf-8"))
    timing(pd.concat(tables.values()), benchmarks, machine).to_csv(timing_path, index=False, float_format=DIGITS)
    sections = []
    for problem, stem in stems.items():
        sections.append(
            rendering.summary(
                problem,
                tables[problem],
                pd.read_csv(f"{stem}_pairs.csv"),
                pd.read_csv(f"{stem}_failures.csv"),
                *next(iter(import_module(f"blurbench.{problem}.score").METRICS.items())),
            )
        )
        for name, module in _summary_tables(problem).items():
            if shown := list(module.summary(pd.read_csv(f"{stem}_{name}.csv"))):
                sections.append(rendering.document(f"{problem}: {module.TITLE}", module.CAPTION, shown, level=2))
    Path(summary_path).write_text("\n".join(["# Summary", "", *sections]), encoding="utf-8")
    checksums.write([timing_path, summary_path], Path(summary_path).with_suffix(".sha256"))
