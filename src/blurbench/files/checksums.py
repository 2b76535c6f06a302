"""Checksum files of published tables, in the form that `sha256sum --check` reads."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from blurbench.files import on_disk
from blurbench.files.models import ModelError


def digest(file: str | Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def check_card(model: str | Path, sha256: str) -> None:
    """Raise ModelError for a model that is not the one of its card, which says its SHA-256."""
    if (found := digest(model)) != sha256:
        raise ModelError(f"{model}: found sha256 {found[:12]}, expected {sha256[:12]}, as its card says")


def write(files: Iterable[str | Path], path: str | Path) -> None:
    """Write the checksums of files that lie beside `path`."""
    lines = [f"{digest(file)}  {Path(file).name}\n" for file in files]
    Path(path).write_text("".join(lines), encoding="utf-8")


def damage(path: str | Path) -> dict[Path, tuple[str, str]]:
    """{file: (found, expected)} of what differs from a checksum file, of the file itself if it is none."""
    path = Path(path)
    faults: dict[Path, tuple[str, str]] = {}
    if path.exists() and (found := on_disk.odd(path)):
        return {path: (found, "a checksum for every table")}
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    for line in lines:
        stated, _, name = line.partition("  ")
        if len(stated) != 64 or name in ("", "..") or Path(name).name != name:
            return {path: (f"the line {line[:80]!r}", "a checksum and a file name")}
        file = path.with_name(name)
        if not file.is_file():
            faults[file] = ("nothing there", f"the file of {path.name}")
        elif (found := digest(file)) != stated:
            faults[file] = (f"{file.stat().st_size} bytes of sha256 {found[:12]}…", f"sha256 {stated[:12]}…")
    return faults if lines else {path: ("no line", "a checksum for every table")}
