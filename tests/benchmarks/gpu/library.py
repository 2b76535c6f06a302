"""What of the library is looked at, and which packages that takes; told without importing any of them."""

from importlib.util import find_spec

from blurbench import problems
from blurbench.planning import catalogue, sources

ENTRANCES = ("planning.configuration", "running.simulation", "running.machine", "learning.training", "files.logs")


def networks(problem):
    """Names of the method files of a problem that train a network."""
    return [name for name in catalogue.files(problem) if catalogue.describe(problem, name).network]


def state():
    """Text that changes with the library's files behind all that is measured."""
    return sources.state(*_modules())


def lacking():
    """Packages that the library imports on the way from a simulation to a trained network, and that are not there."""
    return [package for package in sources.packages(*_modules()) if find_spec(package) is None]


def _modules():
    modules = [*ENTRANCES]
    for problem in problems.names():
        modules += [f"{problem}.configuration", f"{problem}.simulate"]
        modules += [f"{problem}.methods.{name}" for name in networks(problem)]
    return [f"blurbench.{module}" for module in modules]
