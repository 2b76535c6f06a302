"""Where a table comes from: run, seed, commit, configuration and versions, for its head and for the file beside it."""

import hashlib
from html import escape
from importlib.metadata import distributions
from platform import python_version
from typing import Any

from blurbench.running.machine import commit

SHOWN = ("numpy", "scipy", "scikit-learn", "torch")  # versions of a head; the file beside it has all
DIGITS = 12  # of a commit and of a checksum, in a head


def about(run: str, seed: int, configuration: str, name: str) -> dict[str, Any]:
    """What the file beside tables holds, of tables that are made here and now.

    Parameters
    ----------
    run, seed : of the configuration
    configuration : its text, as `planning.given` writes it
    name : of the file of that text, beside the tables

    Returns
    -------
    dict: run, seed, commit (`machine.commit`), configuration (file and sha256), python, packages (version by name)
    """
    return {
        "run": run,
        "seed": seed,
        "commit": commit(),
        "configuration": {"file": name, "sha256": hashlib.sha256(configuration.encode()).hexdigest()},
        "python": python_version(),
        "packages": dict(sorted((d.name, d.version) for d in distributions() if d.name)),
    }


def line(about: dict[str, Any]) -> str:
    """One sentence of it."""
    used = [f"Python {about['python']}"]
    used += [f"{name} {about['packages'][name]}" for name in SHOWN if name in about["packages"]]
    return (
        f"Run {about['run']}, seed {about['seed']}, commit {short(about['commit'])}, "
        f"configuration {configuration(about)}, {', '.join(used)}."
    )


def configuration(about: dict[str, Any]) -> str:
    """The first digits of its checksum, and the file that holds it."""
    return f"{about['configuration']['sha256'][:DIGITS]} ({about['configuration']['file']})"


def short(commit: str | None) -> str:
    """The first digits of a commit, with its "+"."""
    return commit[:DIGITS] + "+" * commit.endswith("+") if commit else "unknown"


def headed(content: Any, suffix: str, about: dict[str, Any]) -> Any:
    """A table with the line in its head.

    Parameters
    ----------
    content : text, or frame for a CSV, which has no place for it and stays as it is
    suffix : of its file: ".md" below the title, ".html" below the heading, ".tex" as a comment
    """
    if not isinstance(content, str):
        return content
    said = line(about)
    if suffix == ".tex":
        return f"% {said}\n{content}"
    title, end, rest = content.partition("</h1>" if suffix == ".html" else "\n\n")
    return title + end + (f"<p>{escape(said)}</p>" if suffix == ".html" else f"{said}\n\n") + rest
