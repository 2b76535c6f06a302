"""Published tables on disk: CSV with every digit, and texts."""

from pathlib import Path

import pandas as pd


def write(content: pd.DataFrame | str, path: str | Path) -> None:
    """Write a table without its index, or a text."""
    if isinstance(content, str):
        Path(path).write_text(content, encoding="utf-8")
    else:
        content.to_csv(path, index=False)


def read(path: str | Path) -> pd.DataFrame:
    """The table as it was written, to the last bit of its numbers."""
    return pd.read_csv(path, dtype={"unit": str})
