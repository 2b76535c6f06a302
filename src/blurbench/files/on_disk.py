"""What lies on the disk: whether it is a plain file, and whether as much of it as a file declares.

A file may declare any size at no cost, and a name in a folder may lead to a device that never ends or a pipe that
nobody writes.
"""

import os
from pathlib import Path

FLOOR_MB = 64  # what every memory holds, several times over
UNFOLDS = 2000  # times; deflate makes 1032 bytes of one at most, and noise of a camera packs some threefold


def odd(path: str | Path) -> str | None:
    """What is there in place of a file, in words; None for a file, or a link to one."""
    path = Path(path)
    if path.is_file():
        return None
    if path.is_dir():
        return "a folder"
    return "a device or a pipe" if path.exists() else "nothing there"


def odd_within(folder: str | Path) -> tuple[Path, str] | None:
    """The first name within a folder, at any depth, that is neither file nor folder, and what it is; None without one.

    A link that leads nowhere is one: who reads a chunk takes it for one that was never written.
    """
    for path in _entries(folder):
        if not path.is_file():
            return path, "a device or a pipe" if path.exists() else "a link that leads nowhere"
    return None


def odd_store(store: str | Path, manifest: str | Path) -> str | None:
    """The first of a store and its manifest that is no plain file, and what it is, in words; None without one."""
    if what := odd(manifest):
        return f"{manifest}: {what}"
    found = odd_within(store)
    return f"{found[0]}: {found[1]}" if found else None


def overstated(declared_mb: float, path: str | Path) -> str | None:
    """What a file or a folder declares and cannot hold, in words; None where it can.

    Parameters
    ----------
    declared_mb : of what is read at once, unpacked
    path : what holds it
    """
    if declared_mb <= FLOOR_MB:
        return None
    path = Path(path)
    files = _entries(path) if path.is_dir() else [path]
    held = sum(file.stat().st_size for file in files if file.is_file())
    return None if declared_mb <= UNFOLDS * held / 1e6 else f"{declared_mb:.4g} MB declared by {held} bytes"


def _entries(folder):
    """All but folders, at any depth; a folder that a link leads to is not entered, so that none is entered twice."""
    with os.scandir(folder) as listed:
        for entry in listed:
            if entry.is_dir(follow_symlinks=False):
                yield from _entries(entry.path)
            elif not (path := Path(entry.path)).is_dir():
                yield path
