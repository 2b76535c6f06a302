"""The code that a result depends on: what modules of the library import, followed through it and what lies beside it.

Statements count. Comments, docstrings and empty lines do not: an edit of words changes no result.
"""

import ast
import hashlib
import io
import os
import sys
import tokenize
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from blurbench.problems import LIBRARY

WITHOUT_EFFECT = {"blurbench.files.logs"}  # what it does is seen on the screen and in logs only
INSTALLED = {"site-packages", "dist-packages"}  # folders of what others wrote
DOCUMENTED = ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef


def search_path() -> str:
    """PYTHONPATH with which a process imports this library, even where another copy is installed."""
    paths = [str(LIBRARY.parent), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return os.pathsep.join(dict.fromkeys(filter(None, paths)))


@cache  # asked for by every job of a plan, which may have a hundred thousand
def state(*modules: str) -> str:
    """Text that changes with a statement of `modules`, or of a module that they import, lazily or not.

    What they import of the library counts, and of the user's own modules beside it and beside the scripts. A package's
    `__init__.py` counts only where a name is imported from it, as its constants concern other stages too.

    Parameters
    ----------
    modules : str, dotted names such as "blurbench.diffusion.score"

    Raises
    ------
    FileNotFoundError for a module that the library does not hold.
    """
    found = _behind(modules, WITHOUT_EFFECT)
    digest = hashlib.blake2b(digest_size=8)
    for module in sorted(found):
        digest.update(module.encode() + _statements(_path(module).read_text(encoding="utf-8")).encode())
    return f"{digest.hexdigest()} of {len(found)} modules behind {', '.join(modules)}"


def code(module: str, within: Iterable[str]) -> str:
    """Checksum of a module and of those behind it: of the library, those of the packages `within` alone."""
    packages = tuple(f"{package}." for package in within)
    digest = hashlib.blake2b(digest_size=8)
    for name in sorted(found for found in _behind([module]) if found.startswith(packages) or not _ours(found)):
        digest.update(name.encode() + _statements(_path(name).read_text(encoding="utf-8")).encode())
    return digest.hexdigest()


def packages(*modules: str) -> list[str]:
    """Names of the packages, other than Python's own and this library, that `modules` and those behind them import."""
    names: set[str] = set()
    for module in _behind(modules):
        for node in ast.walk(ast.parse(_path(module).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.split(".")[0])
    return sorted(name for name in names - sys.stdlib_module_names - {LIBRARY.name} if not _exists(name))


def _behind(modules: Iterable[str], passed_over: Iterable[str] = ()) -> set[str]:
    """Modules of the library and beside it that `modules` import, themselves among them."""
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module in found or module in passed_over:
            continue
        found.add(module)
        waiting += _imports(module)
    return found


@cache  # what one method imports, others do too
def _statements(text: str) -> str:
    """Text of a module without its comments, docstrings and empty lines."""
    lines = text.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node) is not None:
            first = node.body[0]
            for row in range(first.lineno, (first.end_lineno or first.lineno) + 1):
                lines[row - 1] = ""
    return "\n".join(line.rstrip() for line in lines if line.strip())


@cache
def _imports(module: str) -> list[str]:
    """Such modules that one module imports, at its top or inside a function."""
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
def _exists(module: str) -> bool:
    return _candidate(module) is not None


def _ours(module: str) -> bool:
    return module.split(".")[0] == LIBRARY.name


def _path(module: str) -> Path:
    path = _candidate(module)
    if path is None:
        raise FileNotFoundError(f"neither the library nor what lies beside it has a module {module}")
    return path


def _candidate(module: str) -> Path | None:
    folders = [LIBRARY.parent] if _ours(module) else _beside()
    stems = [folder.joinpath(*module.split(".")) for folder in folders]
    paths = (path for stem in stems for path in (stem.with_suffix(".py"), stem / "__init__.py"))
    return next(filter(Path.is_file, paths), None)


def _beside() -> list[Path]:
    """Folders in which a job finds modules of the user's own."""
    folders = [LIBRARY.parents[1] / "scripts", *map(Path, search_path().split(os.pathsep))]
    return [folder for folder in folders if folder.name not in INSTALLED]
