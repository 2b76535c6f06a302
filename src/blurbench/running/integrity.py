"""Whether the files of a run are still what their jobs wrote, and the command that makes again what is not.

    python -m blurbench.running.integrity results/laptop

A file is held against what it brings with it. A dataset has the checksums of its manifest. Models, predictions and
scores have those of their formats, a zip archive one per entry, a Parquet file one per page, so that no second file has
to be written, moved and kept in step. Published tables are plain text, and have a checksum file beside them. Learning
curves, figures and what was measured on recordings are held against their form only. What is lost whole is missed by
the plan of the run alone (`lost_files`).

A run that is under way has files that are not whole yet.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import yaml

from blurbench import problems
from blurbench.files import checksums, datasets, models, on_disk, parquet
from blurbench.files.logs import progress
from blurbench.running.lost_files import NoPlan, lost

SCORE_COLUMNS = set("run problem dataset split item method kind seed metric value unit direction status".split())
PICTURES = {".svg": b"</svg>", ".png": b"IEND\xaeB`\x82"}  # with what they end
TABLES = (".csv", ".md", ".html", ".tex")
COMPLETE = "complete.json"  # is not there where a training raised, which is no damage


class Fault(NamedTuple):
    """One thing wrong, and the output by which Snakemake knows the job that makes it again."""

    text: str  # file: found ..., expected ...
    output: Path


def check(results: str | Path) -> tuple[dict[str, int], list[Fault]]:
    """How many files of each kind a run has, and what is wrong with them.

    Parameters
    ----------
    results : path of the run's folder, results/{run}
    """
    results = Path(results)
    work = [(kind, path, judge) for kind, paths, judge in _kinds(results) for path in paths]
    counts: dict[str, int] = {}
    faults: list[Fault] = []
    for kind, path, judge in progress(work, "check"):
        counts[kind] = counts.get(kind, 0) + 1
        faults += [Fault(text, path) for text in judge(path)]
    return counts, faults


def _kinds(results):
    """(kind, outputs, judge) of everything that is looked at; judge(output) -> texts."""
    stores = {path.with_suffix(".json") for path in results.glob("datasets/*/*/*.zarr")}
    yield "datasets", sorted(stores | set(results.glob("datasets/*/*/*.json"))), _dataset
    for trial in ("", "trials/*/"):  # of a sweep
        curves = {path.with_suffix(".pt") for path in results.glob(f"models/*/*/*/{trial}*.csv")}
        yield "models", sorted(curves | set(results.glob(f"models/*/*/*/{trial}*.pt"))), _model
        yield "checkpoints", sorted(results.glob(f"checkpoints/*/*/*/{trial}*.pt")), _checkpoint
    yield "trials", sorted(results.glob("models/*/*/*/trials/*.csv")), _csv
    answers = ("predictions/*/*/*/*.parquet", "predictions/*/*/*/*.zarr")
    yield "predictions", sorted(path for pattern in answers for path in results.glob(pattern)), _predictions
    yield "scores", sorted(results.glob("scores/*/*/*/*.parquet")), _scores
    yield "validations", sorted(results.glob("validation/*/*.parquet")), _parquet
    tables = {path for ending in TABLES for path in results.glob(f"tables/*{ending}")}
    sealed = sorted(results.glob("tables/*.sha256"))
    yield "tables", sealed, _sealed
    known = {name for seal in sealed for name in _names(seal)}
    yield "tables", sorted(path for path in tables if path.name not in known), _unsealed
    for ending in PICTURES:
        yield "figures", sorted(results.glob(f"figures/*/*{ending}")), _picture
    yield "recordings", sorted(results.glob("recordings/*/items.json")), _dataset
    yield "recordings", sorted(results.glob("recordings/*/survey.parquet")), _parquet
    yield "recordings", sorted(results.glob("recordings/*/*.csv")), _csv
    for ending in PICTURES:
        yield "recordings", sorted(results.glob(f"recordings/*/*{ending}")), _picture
    yield "records", sorted(results.glob("machine.json")), _json


def _dataset(manifest):
    store = manifest.with_suffix(".zarr")
    if not store.is_dir():
        return [f"{store}: found nothing, expected the store of {manifest}"]
    return datasets.damage(store, manifest)


def _model(path):
    yield from _csv(path.with_suffix(".csv"))
    yield from _weights(path, {"method", "options", "seed", "precision", "spec"})


def _checkpoint(path):
    yield from _weights(path, {"fingerprint", "state", "now"})


def _weights(path, keys):
    import torch

    try:
        content = models.read(path)
    except models.ModelError as error:
        yield str(error)
        return
    if models.why_not_trained(path):
        keys = keys - {"precision", "spec"}
    if missing := keys - set(content):
        yield f"{path}: found no {sorted(missing)[0]}, expected {sorted(keys)}"
    for name, value in _leaves(content.get("network", {})):
        if isinstance(value, torch.Tensor) and not torch.isfinite(value).all():
            yield f"{path}: found a weight in {name} that is not finite, expected numbers"


def _leaves(tree, name="network"):
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _leaves(value, f"{name}.{key}")
    else:
        yield name, tree


def _predictions(path):
    *_, problem, dataset, _, _ = path.parts
    manifest = path.parents[4] / "datasets" / problem / dataset / "test.json"
    try:
        items = json.loads(manifest.read_text(encoding="utf-8"))["items"]
    except (OSError, ValueError, KeyError, TypeError):
        return  # told of the dataset, whose predictions are made again with it
    yield from problems.load(problem).answer.damage(path, items)


def _scores(path):
    try:
        table = parquet.read(path)
    except parquet.ParquetError as error:
        yield str(error)
        return
    if missing := SCORE_COLUMNS - set(table):
        yield f"{path}: found no column {sorted(missing)[0]}, expected {sorted(SCORE_COLUMNS)}"
        return
    *_, problem, dataset, method, seed = path.with_suffix("").parts
    names = {"run": path.parents[4].name, "problem": problem, "dataset": dataset, "method": method, "seed": int(seed)}
    for column, name in names.items():
        if (odd := table[column] != name).any():
            yield f"{path}: found the {column} {table.loc[odd, column].iloc[0]!r}, expected {name!r}"
    if table.empty or (table.groupby("metric").size() != table["item"].nunique()).any():
        yield f"{path}: found {len(table)} rows, expected one for every item and metric"


def _sealed(path):
    for file, (found, expected) in checksums.damage(path).items():
        yield f"{file}: found {found}, expected {expected}"


def _names(seal):
    return [line.partition("  ")[2] for line in seal.read_text(encoding="utf-8", errors="replace").splitlines()]


def _unsealed(path):
    yield f"{path}: found in no checksum file, expected its line in a .sha256 beside it"


def _parquet(path):
    try:
        parquet.read(path)
    except parquet.ParquetError as error:
        yield str(error)


def _csv(path):
    if found := on_disk.odd(path):
        yield f"{path}: found {found}, expected a table"
        return
    try:
        content = path.read_bytes()
        pd.read_csv(path)
    except (OSError, ValueError) as error:
        yield f"{path}: found no table ({error}), expected columns with a heading"
        return
    if not content.endswith(b"\n"):
        yield f"{path}: found no end of the last line, expected a whole table"


def _picture(path):
    content = path.read_bytes()
    if not content.rstrip().endswith(PICTURES[path.suffix]):
        yield f"{path}: found {len(content)} bytes without an end, expected a whole {path.suffix[1:].upper()}"


def _json(path):
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        yield f"{path}: found no JSON ({error}), expected a description of the machine"


def missing(results: str | Path, known: list[Fault], folder: str | Path = "config") -> list[Fault]:
    """What jobs of the run once wrote and is gone, but for what `check` tells (`known`).

    Raises NoPlan (`lost_files`) if the configuration of the run cannot be planned or is not there.
    """
    if not (layers := configurations(results, folder)):
        raise NoPlan(f"found no configuration of the run in {folder}")
    gone = lost(results, [path for path in layers if path.name != "config.yaml"])
    told = [fault.text for fault in known]
    return [
        Fault(f"{path}: found nothing, expected what its job wrote ({log})", path)
        for path, log in gone.items()
        if path != Path(results, COMPLETE) and not any(text.startswith(str(path)) for text in told)
    ]


def configurations(results: str | Path, folder: str | Path) -> list[Path]:
    """Layers that make up a run, by its name and its recordings, what names it first; empty if none names it."""
    results = Path(results)
    recordings = {path.parent.name for path in results.glob("recordings/*/*")}
    layers = [path for path in sorted(Path(folder).glob("*.yaml")) if _states(path, results.name, recordings)]
    layers.sort(key=lambda path: "run" not in _content(path))
    return layers if any(_content(path).get("run") == results.name for path in layers) else []


def command(results: str | Path, faults: list[Fault], folder: str | Path = "config") -> str:
    """Command that makes again what is damaged, and all that depends on it and nothing else.

    Dependents are made again even where the new file equals what the old one was: nobody knows whether they were
    computed before the damage or after.

    Parameters
    ----------
    results : path of the run's folder
    faults : of `check`
    folder : where the configurations are; those that make up the run are found by its name and by its recordings
    """
    results = Path(results)
    outputs = dict.fromkeys(_made_by(results, fault.output) for fault in faults)
    layers = configurations(results, folder) or [Path("CONFIGURATION_OF_THE_RUN")]
    given = [f"--configfile {' '.join(map(str, layers))}"] if [path.name for path in layers] != ["config.yaml"] else []
    return " ".join(
        ["snakemake --cores all --rerun-incomplete", *given, "--forcerun", *(str(output) for output in outputs)]
    )


def _made_by(results, output):
    """A checkpoint is no output: the model of its training is."""
    checkpoints = results / "checkpoints"
    if output.is_relative_to(checkpoints):
        return results / "models" / output.relative_to(checkpoints)
    return output


def _states(path, run, recordings):
    content = _content(path)
    return content.get("run") == run or ("run" not in content and recordings & set(content.get("recordings") or {}))


def _content(path):
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError):
        return {}
    return content if isinstance(content, dict) else {}


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; exits with 1 if anything is damaged. `arguments` are those of the process unless given."""
    parser = argparse.ArgumentParser(description="Check the files of a run against what their jobs wrote.")
    parser.add_argument("results", type=Path, help="folder of the run, such as results/laptop")
    results = parser.parse_args(arguments).results
    if not results.is_dir():
        sys.exit(f"{results}: found no folder, expected that of a run")
    counts, faults = check(results)
    try:
        faults += missing(results, faults)
    except NoPlan as error:
        print(f"{results}: not looked for files that are lost: {error}")
    looked_at = ", ".join(f"{n} {kind}" for kind, n in counts.items()) or "nothing"
    if not faults:
        print(f"{results}: looked at {looked_at}: all as their jobs wrote them")
        return
    for fault in faults:
        print(fault.text)
    print(f"{results}: looked at {looked_at}: {len(faults)} damaged. To make them again, and what depends on them:")
    print(command(results, faults))
    sys.exit(1)


if __name__ == "__main__":
    main()
