"""What a configuration holds, as tables: problems, datasets, and methods with their kind, options and budget.

    python -m blurbench list                                       of config/config.yaml
    python -m blurbench list --configfile config/laptop.yaml       of that, with layers over it

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
    parser.add_argument("command", choices=["list"])
    parser.add_argument("--configfile", nargs="*", default=[], metavar="FILE", help=f"layers over {BASE}")
    given = parser.parse_args()
    try:
        print("\n\n".join(listed(configuration([BASE, *given.configfile]))))
    except (ConfigurationError, OSError, yaml.YAMLError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
