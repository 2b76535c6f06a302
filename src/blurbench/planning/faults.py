"""What is wrong in a configuration: where it stands, what was found and what was expected."""

import difflib
from collections.abc import Iterable
from typing import NamedTuple


class Fault(NamedTuple):
    """One thing wrong in a configuration."""

    where: str  # dotted key, such as problems.diffusion.datasets.report.imaging.frames
    found: str
    expected: str


class ConfigurationError(ValueError):
    """Everything that is wrong in a configuration, one line per fault."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        lines = [f"  {where}: found {found}, expected {expected}" for where, found, expected in faults]
        super().__init__("\n".join([f"the configuration has {len(lines)} fault{'s'[: len(lines) > 1]}:", *lines]))


def unknown(where: str, name: object, known: Iterable[object], what: str) -> Fault:
    """Fault of a name that does not exist, with the nearest that does."""
    names = [str(one) for one in known]
    near = difflib.get_close_matches(str(name), names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(names) or 'none'}"
    return Fault(where, f"the unknown {str(name)!r}", f"{what} that exists: {hint}")
