"""One's own recording, measured; what a configuration holds, as tables; two runs side by side; models to come along.

    python -m blurbench measure FILE --pixel-um 0.1 --frame-s 0.01    a movie, by the models that come with blurbench
    python -m blurbench list                                          problems, datasets, methods of config/config.yaml
    python -m blurbench list --configfile config/laptop.yaml          of that, with layers over it
    python -m blurbench compare results/A results/B --csv C.csv       two finished runs
    python -m blurbench ship results/A diffusion/wide                 models of a run into weights/, with cards
    python -m blurbench reproduce results/A diffusion                 commands that make that table again
    python -m blurbench crate results/A                               results/A/crate.zip, an RO-Crate of a finished run
    python -m blurbench track results/A                               results/A/tracking/, for MLflow and TensorBoard

From the root of the repository.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from tabulate import tabulate

from blurbench.planning.configuration import expand
from blurbench.planning.faults import ConfigurationError
from blurbench.planning.merging import merged
from blurbench.planning.repeated_keys import repeated_keys

BASE = "config/config.yaml"
SHORT = {  # of `measure`: the key of an entry, and what its option is called
    "pixel_size_um": "--pixel-um",
    "frame_time_s": "--frame-s",
    "exposure_s": "--exposure-s",
    "diameter_um": "--diameter-um",
    "gain": "--gain",
    "offset": "--offset",
}
WRITTEN = "# Written by `python -m blurbench measure`, which writes it again; without this line it does not.\n"


def listed(config: dict[str, Any]) -> Iterator[str]:
    """Lines of an expanded configuration, a heading and two tables for each problem."""
    for name, problem in config["problems"].items():
        yield f"# {name}"
        datasets = [
            {
                "dataset": dataset,
                "models of": entry["models"],
                **{f"{split} items": entry["items"].get(split, 0) for split in ("train", "validation", "test")},
                "methods": len(entry["methods"]),
            }
            for dataset, entry in problem["datasets"].items()
        ]
        yield tabulate(datasets, headers="keys", tablefmt="github")
        yield tabulate([_method(*one) for one in problem["methods"].items()], headers="keys", tablefmt="github")


def _method(name, entry):
    weights = f"weights of {entry['model']}" + (f" on {entry['of']}" if entry["of"] else "")
    borrows = entry["model"] not in (None, name)
    return {
        "method": name,
        "kind": entry["kind"],
        "file": entry["method"] or "a rule of yours",
        "trained": "network" if entry["network"] and entry["trains"] else "yes" if entry["trains"] else "",
        "epochs": entry["budget"].get("epochs", "") if entry["network"] and entry["trains"] else "",
        "options": weights if borrows else ", ".join(f"{key} {value}" for key, value in entry["options"].items()),
    }


def configuration(files: list[str], last: dict[str, Any] | None = None) -> dict[str, Any]:
    """Expanded configuration of files, one over the other, and of a layer over them all.

    Raises
    ------
    ConfigurationError listing every fault; OSError or yaml.YAMLError for a file that cannot be read.
    """
    config: dict[str, Any] = {}
    for file in files:
        if repeated := repeated_keys(file):
            raise ConfigurationError(repeated)
        config = merged(config, yaml.safe_load(Path(file).read_text(encoding="utf-8")) or {})
    return expand(merged(config, last or {}))


def main() -> None:
    """Do what was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m blurbench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    _measure_options(commands.add_parser("measure", help="one's own recording, by the models that come with blurbench"))
    of_list = commands.add_parser("list", help="problems, datasets and methods of a configuration")
    of_list.add_argument("--configfile", nargs="*", default=[], metavar="FILE", help=f"layers over {BASE}")
    of_compare = commands.add_parser("compare", help="numbers of two finished runs, and whether they differ")
    of_compare.add_argument("runs", nargs=2, type=Path, metavar="RUN", help="folder of a run")
    of_compare.add_argument("--csv", type=Path, metavar="FILE", help="where all numbers go")
    of_ship = commands.add_parser("ship", help="models of a run into weights/, with a card beside each")
    of_ship.add_argument("run", type=Path, metavar="RUN", help="folder of a run")
    of_ship.add_argument("datasets", nargs="+", metavar="PROBLEM/DATASET", help="on which the models were trained")
    of_ship.add_argument(
        "--configfile", nargs="*", default=[], metavar="FILE", help=f"layers over {BASE}, as in the run"
    )
    of_ship.add_argument("--without", nargs="*", default=[], metavar="METHOD", help="models that are left out")
    of_reproduce = commands.add_parser("reproduce", help="commands that make a table of a finished run again")
    of_reproduce.add_argument("run", type=Path, metavar="RUN", help="folder of a run")
    of_reproduce.add_argument("table", metavar="TABLE", help="name of the table's file, without its ending")
    of_crate = commands.add_parser("crate", help="a finished run as a Workflow Run RO-Crate")
    of_crate.add_argument("run", type=Path, metavar="RUN", help="folder of a run")
    of_track = commands.add_parser("track", help="a finished run for MLflow and TensorBoard")
    of_track.add_argument("run", type=Path, metavar="RUN", help="folder of a run")
    given = parser.parse_args()
    try:
        print(ANSWERS[given.command](given))
    except (ConfigurationError, ValueError, OSError, yaml.YAMLError) as error:
        sys.exit(str(error))
    except ModuleNotFoundError as error:
        sys.exit(f"{error}: expected what `pip install '.[{given.command}]'` installs")


def _measure_options(parser):
    parser.add_argument("files", nargs="+", metavar="FILE", help="movie, volume or image; several are pooled")
    parser.add_argument("--problem", default="diffusion", help="diffusion unless told otherwise")
    parser.add_argument("--name", help="of the recording; that of the file unless told otherwise")
    for key, option in SHORT.items():
        parser.add_argument(option, type=float, dest=key, metavar="X", help=f"{key} of the entry")
    parser.add_argument("--voxel-um", type=float, nargs=3, dest="voxel_um", metavar=("Z", "Y", "X"))
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="any other key: config/README.md")
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="all unless told otherwise")


def _measured(given):
    """What the methods find in a recording. Its entry is kept in a configuration, which runs again by itself."""
    from blurbench.planning import own_recording

    name = given.name or own_recording.named(given.files[0])
    known = {key: getattr(given, key) for key in (*SHORT, "voxel_um") if getattr(given, key) is not None}
    if "frame_time_s" in known:
        known.setdefault("exposure_s", known["frame_time_s"])
    layer = own_recording.layer(name, given.files, given.problem, known, given.set)
    configuration([BASE], layer)  # raises what is wrong before anything is written
    file = Path("config", f"{name}.yaml")
    if file.exists() and not file.read_text(encoding="utf-8").startswith(WRITTEN):
        raise ValueError(f"{file}: found a configuration, expected none of this name: state another with --name")
    file.write_text(WRITTEN + yaml.safe_dump(layer, sort_keys=False), encoding="utf-8")
    command = ["snakemake", "recordings", "--cores", str(given.cores), "--rerun-incomplete", "--scheduler", "greedy"]
    command += ["--max-jobs-per-timespan", "1000000/1h"]  # as in Makefile, which says why
    command += ["--quiet", "rules", "reason", "host", "--configfile", str(file)]
    print(f"{file} has the entry. It runs, now and again, by\n    {' '.join(command)}", flush=True)
    if code := subprocess.run([sys.executable, "-m", *command]).returncode:
        sys.exit(code)  # what was wrong stands above
    from blurbench.tables import recording  # with pandas, which the command's other work does not wait for

    return recording.shown(Path("results", name, "recordings", name))


def _listed(given):
    return "\n\n".join(listed(configuration([BASE, *given.configfile])))


def _compared(given):
    """Markdown of two runs side by side; their numbers, if asked for, go to a CSV."""
    from blurbench.files import tables  # pandas, which a list does not wait for
    from blurbench.tables import comparison

    a, b = given.runs
    found = comparison.compare(a, b)
    if given.csv:
        tables.write(found.numbers, given.csv)
    return comparison.document(found, a.name, b.name)


def _reproduced(given):
    from blurbench.export import reproduction

    return "\n".join(reproduction.commands(given.run, given.table))


def _shipped(given):
    from blurbench.running import shipping

    config = configuration([BASE, *given.configfile])
    datasets = [tuple(name.split("/", 1)) for name in given.datasets]
    return "\n".join(map(str, shipping.ship(given.run, config, datasets, given.without)))


def _crated(given):
    from blurbench.export import crate

    path = given.run / "crate.zip"
    crate.write(given.run, path)
    return str(path)


def _tracked(given):
    from blurbench.export import tracking

    return str(tracking.write(given.run))


ANSWERS = {
    "measure": _measured,
    "list": _listed,
    "compare": _compared,
    "ship": _shipped,
    "reproduce": _reproduced,
    "crate": _crated,
    "track": _tracked,
}


if __name__ == "__main__":
    main()
