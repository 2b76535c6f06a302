"""The library files that a result depends on: what its modules import, followed through the whole library."""

import ast
import os
from functools import cache
from pathlib import Path

LIBRARY = Path(__file__).parent
WITHOUT_EFFECT = {"blurbench.logs"}  # what it does is seen on the screen and in logs only


def search_path():
    """PYTHONPATH with which a process imports this library, even where another copy is installed."""
    paths = [str(LIBRARY.parent), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return os.pathsep.join(dict.fromkeys(filter(None, paths)))


def files(*modules):
    """Paths of the files of `modules` and of every blurbench module that they import, lazily or not.

    A package's `__init__.py` counts only where a name is imported from it, as its constants concern other stages too.

    Parameters
    ----------
    modules : str, dotted names such as "blurbench.diffusion.score"

    Returns
    -------
    list of str, sorted, relative to the working directory where they lie below it

    Raises
    ------
    FileNotFoundError for a module that the library does not hold.
    """
    return list(_files(modules, Path.cwd()))


@cache  # asked for by every job of a plan, which may have a hundred thousand
def _files(modules, folder):
    found = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module in found or module in WITHOUT_EFFECT:
            continue
        found.add(module)
        waiting += _imports(module)
    paths = (_path(module) for module in found)
    return sorted(str(path.relative_to(folder) if path.is_relative_to(folder) else path) for path in paths)


@cache
def _imports(module):
    """Library modules that one module imports, at its top or inside a function."""
    path = _path(module)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if _exists(alias.name)]
        elif isinstance(node, ast.ImportFrom):
            base = package.rsplit(".", node.level - 1)[0] if node.level else ""
            source = ".".join(filter(None, [base, node.module]))
            members = [f"{source}.{alias.name}" for alias in node.names]
            found += [member if _exists(member) else source for member in members if _exists(source)]
    return found


@cache
def _exists(module):
    return module.split(".")[0] == LIBRARY.name and _candidate(module) is not None


def _path(module):
    path = _candidate(module)
    if path is None:
        raise FileNotFoundError(f"the library has no module {module}")
    return path


def _candidate(module):
    stem = LIBRARY.joinpath(*module.split(".")[1:])
    return next((path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.is_file()), None)
