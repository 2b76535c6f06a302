"""Recordings of several files, of one sample and one microscope, whose answers are pooled."""

from collections.abc import Iterator
from typing import Any


def files(recording: dict[str, Any]) -> list[str]:
    """Files of a recording's entry in their order: `file` is one, or a list of them."""
    named = recording["file"]
    return [named] if isinstance(named, str) else list(named)


def entries(recording: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """An entry for each file of a recording's; all else is common to them."""
    return ({**recording, "file": file} for file in files(recording))


def name(recording: dict[str, Any]) -> str:
    """What a recording is called where no file of it is meant before the others: its first, and how many more."""
    first, *others = files(recording)
    return f"{first} and {len(others)} more" if others else first
