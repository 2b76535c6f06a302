"""What a configuration holds, as tables: problems, datasets, and methods with their kind, options and budget; two runs.

    python -m blurbench list                                       of config/config.yaml
    python -m blurbench list --configfile config/laptop.yaml       of that, with layers over it
    python -m blurbench compare results/A results/B --csv C.csv    two finished runs side by side

From the root of the repository.
"""

import argparse
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


def configuration(files: list[str]) -> dict[str, Any]:
    """Expanded configuration of files, one over the other.

    Raises
    ------
    ConfigurationError listing every fault; OSError or yaml.YAMLError for a file that cannot be read.
    """
    config: dict[str, Any] = {}
    for file in files:
        if repeated := repeated_keys(file):
            raise ConfigurationError(repeated)
        config = merged(config, yaml.safe_load(Path(file).read_text(encoding="utf-8")) or {})
    return expand(config)


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m blurbench", description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    of_list = commands.add_parser("list", help="problems, datasets and methods of a configuration")
    of_list.add_argument("--configfile", nargs="*", default=[], metavar="FILE", help=f"layers over {BASE}")
    of_compare = commands.add_parser("compare", help="numbers of two finished runs, and whether they differ")
    of_compare.add_argument("runs", nargs=2, type=Path, metavar="RUN", help="folder of a run")
    of_compare.add_argument("--csv", type=Path, metavar="FILE", help="where all numbers go")
    given = parser.parse_args()
    try:
        print(compared(*given.runs, given.csv) if given.command == "compare" else _listed(given.configfile))
    except (ConfigurationError, ValueError, OSError, yaml.YAMLError) as error:
        sys.exit(str(error))


def _listed(files):
    return "\n\n".join(listed(configuration([BASE, *files])))


def compared(a: Path, b: Path, csv: Path | None) -> str:
    """Markdown of two runs side by side; their numbers, if asked for, go to a CSV."""
    from blurbench.files import tables  # pandas, which a list does not wait for
    from blurbench.tables import comparison

    found = comparison.table(a, b)
    if csv:
        tables.write(found, csv)
    return comparison.document(found, a.name, b.name)


if __name__ == "__main__":
    main()
