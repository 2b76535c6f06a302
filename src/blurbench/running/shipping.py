"""Models of a run that come with blurbench from then on: copied into `weights` with their cards, taken from there."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from blurbench import problems
from blurbench.files import atomic, checksums, learning_curves, models, parquet
from blurbench.planning import frozen, shipped, units
from blurbench.running import machine

LARGEST_MB, ALL_MB = 5, 40
LICENCE = "BSD-3-Clause"
COUNTED = ["mean", "ci_low", "ci_high", "n_items"]  # of a published number
FIRST = 20  # test items whose scores a card has one by one, so that a few regenerated items tell a wrong model


def ship(
    run: str | Path, config: dict[str, Any], datasets: Iterable[tuple[str, str]], without: Iterable[str] = ()
) -> list[Path]:
    """Copy the models of some datasets of a run into `weights`, with curves and benchmarks, and write their cards.

    Of a run that is not finished those that are there, with cards that say no scores: they have to be of the code of
    this working tree, which nothing tells then.

    Parameters
    ----------
    run : folder of a run
    config : the expanded configuration that it was made with
    datasets : (problem, dataset) whose models are to come with blurbench
    without : names of models that are not

    Returns
    -------
    list of the models written

    Raises
    ------
    ValueError for a dataset on which nothing was trained, a model whose training raised, models larger than are to be
    kept in git, a dataset of which models of another run would stay beside, and a method that has changed since the run
    was finished; nothing is copied then.
    """
    run, chosen, left_out = Path(run), list(datasets), set(without)
    asked = [one for one in units.trainings(config) if one[:2] in chosen and one[2] not in left_out]
    files = {one: run.joinpath("models", *one[:3], f"{one[3]}.pt") for one in asked}
    files = {one: file for one, file in files.items() if file.exists()}
    if nothing := set(chosen) - {one[:2] for one in files}:
        named = ", ".join(sorted(map("/".join, nothing)))
        raise ValueError(f"found no model of {named}, expected datasets on which methods are trained")
    _check_sizes(list(files.values()))
    _check_one_run(config, files)
    _check_code(run, config, files)
    first = {one[:3]: one for one in reversed(asked)}
    return [_copy(run, config, file, *one, first[one[:3]] == one) for one, file in files.items()]


def take(model: Path, wanted: dict[str, Path]) -> str:
    """Copy what came of a training from where it is kept to where a run has it, and say where and when it was made.

    Parameters
    ----------
    model : that comes with blurbench, with its card, curve and benchmark beside it
    wanted : file of the run for each of these endings: .pt, .csv, .tsv

    Raises
    ------
    ModelError for a model that is not what its card says.
    """
    said = json.loads(model.with_suffix(".json").read_text(encoding="utf-8"))
    checksums.check_card(model, said["sha256"])
    with atomic.replacing(*wanted.values()) as partial:
        for ending, path in zip(wanted, partial):
            shutil.copyfile(model.with_suffix(ending), path)
    return f"taken from {model}: trained in {said['train_core_s']:.0f} core-s at commit {said['commit']}"


def _check_sizes(files):
    """Before anything is copied."""
    sizes = {file: file.stat().st_size / 1e6 for file in files}
    for file, size in sizes.items():
        if reason := models.why_not_trained(file):
            raise ValueError(f"{file}: found not trained: {reason}; expected a model")
        if size > LARGEST_MB:
            raise ValueError(f"{file}: found {size:.1f} MB, expected at most {LARGEST_MB}")
    if sum(sizes.values()) > ALL_MB:
        raise ValueError(f"found models of {sum(sizes.values()):.0f} MB, expected at most {ALL_MB} in all")


def _check_one_run(config, asked):
    """Refuse to lay models beside those of another run, which were trained on other items, or for longer."""
    for problem, dataset in dict.fromkeys(one[:2] for one in asked):
        replaced = {one[2] for one in asked if one[:2] == (problem, dataset)}
        folder = shipped.folder() / problem / dataset
        said = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
        others = sorted({one["model"] for one in said if one["data_seed"] != config["seed"]} - replaced)
        if others:
            expected = f"those of one run, of seed {config['seed']}: take the others away first"
            raise ValueError(
                f"{folder}: found models of another run that would stay: {', '.join(others)}; expected {expected}"
            )


def _check_code(run, config, asked):
    """Refuse models of a finished run whose methods have changed since, as a card says the code that is here."""
    path = run / "tables" / "methods.csv"
    if not path.exists():
        return  # not finished: Snakemake would train them anew
    table = pd.read_csv(path).set_index(["problem", "method"])
    for problem, _, model, _ in asked:
        now = frozen.code(problem, config["problems"][problem]["methods"][model]["method"])
        if (problem, model) in table.index and (then := table.code[problem, model]) != now:
            raise ValueError(f"{path}: {problem}/{model}: found code {then}, expected {now}, that of this working tree")


def _copy(run, config, file, problem, dataset, model, seed, first):
    path = shipped.file(problem, dataset, model, None if first else seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    benchmark = run.joinpath("benchmarks", "train", problem, dataset, model, f"{seed}.tsv")
    for origin, ending in ((file, ".pt"), (file.with_suffix(".csv"), ".csv"), (benchmark, ".tsv")):
        if origin.exists():  # the trials of a sweep have benchmarks of their own
            shutil.copyfile(origin, path.with_suffix(ending))
    said = card(run, config, problem, dataset, model, seed) | {"sha256": checksums.digest(path)}
    path.with_suffix(".json").write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    return path


def card(run: Path, config: dict[str, Any], problem: str, dataset: str, model: str, seed: int) -> dict[str, Any]:
    """What is said of a model: what it is, what it was trained on, what that cost, and how it scored on test items."""
    curve = learning_curves.read(run.joinpath("models", problem, dataset, model, f"{seed}.csv"), ("core_s",))
    about = run / "machine.json"  # a run that is not finished has none
    where = json.loads(about.read_text(encoding="utf-8")) if about.exists() else machine.describe()
    return {
        "problem": problem,
        "dataset": dataset,
        "model": model,
        **shipped.training(config, problem, dataset, model, seed),
        "train_core_s": float(curve.core_s.iloc[-1]),
        "scores": _scores(run / "tables" / f"{problem}.csv", dataset, model),
        "first_items": _first_items(run / "scores" / problem / dataset / model / f"{seed}.parquet", problem),
        "versions": {"python": where["python"], "torch": where["torch"], "numpy": where["packages"].get("numpy")},
        "cpu": where["cpu"],
        "commit": where["commit"],
        "licence": LICENCE,
    }


def _scores(path, dataset, method):
    """Numbers over all test items by metric; none of a run that is not finished."""
    if not path.exists():
        return {}
    table = pd.read_csv(path)
    rows = table[(table.dataset == dataset) & (table.method == method) & (table.condition == "all")]
    return json.loads(rows.set_index("metric")[COUNTED].to_json(orient="index", double_precision=10))


def _first_items(path, problem):
    """Scores of the first test items, in the metric that orders the tables; none where nothing was scored."""
    if not path.exists():
        return {}
    metrics = problems.find(problem, "score.METRICS")
    first = next(metric.name for metric in metrics if any(not number.table for number in metric.published))
    table = parquet.read(path)
    values = table[table["metric"] == first].sort_values("item")["value"].iloc[:FIRST]
    return {first: json.loads(values.to_json(orient="values", double_precision=10))}
