"""Models of a finished run that come with blurbench from then on: copied into `weights`, each with its card."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from blurbench.files import checksums, models
from blurbench.planning import frozen, shipped, units

LARGEST_MB, ALL_MB = 5, 40
LICENCE = "BSD-3-Clause"
COUNTED = ["mean", "ci_low", "ci_high", "n_items"]  # of a published number


def ship(
    run: str | Path, config: dict[str, Any], datasets: Iterable[tuple[str, str]], without: Iterable[str] = ()
) -> list[Path]:
    """Copy the models of some datasets of a run into `weights`, of the first training seed, and write their cards.

    Parameters
    ----------
    run : folder of a finished run
    config : the expanded configuration that it was made with
    datasets : (problem, dataset) whose models are to come with blurbench
    without : names of models that are not

    Returns
    -------
    list of the files written, without their cards

    Raises
    ------
    ValueError for a dataset on which nothing was trained, a model whose training raised, and models larger than are to
    be kept in git; nothing is copied then.
    """
    run, chosen = Path(run), list(datasets)
    trained = units.trainings(config)
    asked = [one for one in trained if one[:2] in chosen and one[2] not in set(without)]
    if nothing := set(chosen) - {one[:2] for one in asked}:
        named = ", ".join(sorted(map("/".join, nothing)))
        raise ValueError(f"found no model of {named}, expected datasets on which methods are trained")
    first = list({one[:3]: one for one in reversed(asked)}.values())[::-1]
    files = {one: run / "models" / one[0] / one[1] / one[2] / f"{one[3]}.pt" for one in first}
    _check_sizes(list(files.values()))
    return [_copy(run, config, file, *one) for one, file in files.items()]


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


def _copy(run, config, file, problem, dataset, model, seed):
    path = shipped.file(problem, dataset, model)
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, path)
    said = card(run, config, problem, dataset, model, seed) | {"sha256": checksums.digest(path)}
    path.with_suffix(".json").write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    return path


def card(run: Path, config: dict[str, Any], problem: str, dataset: str, model: str, seed: int) -> dict[str, Any]:
    """What is said of a model: what it is, what it was trained on, what that cost, and how it scored on test items."""
    entry = config["problems"][problem]["methods"][model]
    tables = {name: pd.read_csv(run / "tables" / f"{name}.csv") for name in (problem, "timing")}
    main, timing = (table[(table.dataset == dataset) & (table.method == model)] for table in tables.values())
    machine = json.loads((run / "machine.json").read_text(encoding="utf-8"))
    scores = main[main.condition == "all"].set_index("metric")[COUNTED]
    cost = timing[timing.problem == problem]
    return {
        "problem": problem,
        "dataset": dataset,
        "model": model,
        **{key: entry[key] for key in ("method", "kind", "options", "budget")},
        "code": next(
            row["code"] for row in frozen.methods(config) if (row["problem"], row["method"]) == (problem, model)
        ),
        "trained_on": shipped.trained_on(config, problem, dataset),
        "train_items": config["problems"][problem]["datasets"][dataset]["items"].get("train", 0),
        "seed": seed,
        "data_seed": config["seed"],
        "train_core_s": None if cost.empty or cost.train_core_s.isna().all() else float(cost.train_core_s.iloc[0]),
        "scores": json.loads(scores.to_json(orient="index", double_precision=10)),
        "versions": {"python": machine["python"], "torch": machine["torch"], "numpy": machine["packages"].get("numpy")},
        "commit": machine["commit"],
        "licence": LICENCE,
    }
