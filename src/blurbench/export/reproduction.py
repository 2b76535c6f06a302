"""The commands that make one table of a run again, from nothing, and hold its numbers against those of the run."""

import json
import re
from pathlib import Path
from shlex import quote

from blurbench.tables.provenance import short

EDITED = "# Made with edits since the commit, which are not kept: this makes the table of the commit as it stands."
COMMIT = re.compile(r"[0-9a-f]{40}\+?")


class ReproductionError(ValueError):
    """A table that cannot be made again."""


def commands(results: str | Path, table: str) -> list[str]:
    """Lines of shell, to be run in the root of a clone that has the commit of the table.

    The table is made in a working tree of its own beside the clone, with the versions pinned there, so that neither the
    clone nor the run is touched. What the commit does not hold, files that the configuration names and rules of the
    user's own, has to be copied there. Datasets are the same bit for bit; what is trained is, on the same machine.

    Parameters
    ----------
    results : path of the run's folder, seen from the root of the clone
    table : its file name without ending, such as "diffusion" or "diffusion_pairs"

    Raises
    ------
    ReproductionError if there is no such table, or nothing that says where it comes from.
    """
    results = Path(results)
    file = _file(results / "tables", table)
    about = _about(results / "tables" / f"{_seal(file)}.json")
    given, commit = file.with_name(about["configuration"]["file"]), about["commit"].removesuffix("+")
    tree, again = f"../blurbench-{short(commit)}", Path("results", about["run"])
    return [
        *[EDITED] * about["commit"].endswith("+"),
        f"git worktree add --detach {tree} {commit}",
        f"cp {quote(str(given))} {tree}/given.yaml",
        f"cd {tree}",
        "make .venv/installed",
        ". .venv/bin/activate",
        f"snakemake {quote(str(again / 'tables' / file.name))} --cores all --rerun-incomplete --configfile given.yaml",
        f'python -m blurbench compare "$OLDPWD"/{quote(str(results))} {quote(str(again))}',
    ]


def _file(folder, table):
    """The table's CSV, or what there is of it."""
    found = {path.stem: path for ending in (".md", ".csv") for path in sorted(folder.glob(f"*{ending}"))}
    if table not in found:
        raise ReproductionError(f"{folder}: found no table {table!r}, expected one of {', '.join(sorted(found))}")
    return found[table]


def _seal(file):
    """Name that the files beside a table have: that of the problem, or "summary"."""
    for seal in sorted(file.parent.glob("*.sha256")):
        if file.name in (line.partition("  ")[2] for line in seal.read_text(encoding="utf-8").splitlines()):
            return seal.stem
    raise ReproductionError(f"{file}: found in no checksum file, expected its line in a .sha256 beside it")


def _about(path):
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ReproductionError(f"{path}: found no JSON ({error}), expected where the table comes from") from None
    if not COMMIT.fullmatch(str(about["commit"])):
        raise ReproductionError(
            f"{path}: commit: found {about['commit']!r}, expected 40 digits: that of the clone where the table was made"
        )
    return about
