"""What the methods found in a recording, to be read on a terminal."""

from pathlib import Path

import pandas as pd

REMARKS = ["remark", "outside", "status"]  # sentences, which a table has no room for


def shown(folder: str | Path) -> str:
    """Table of the methods, and below it what makes answers doubtful and where the rest lies.

    Parameters
    ----------
    folder : results/{run}/recordings/{recording} of a finished run
    """
    table = pd.read_csv(Path(folder, "methods.csv"), dtype={"weights": "string"})
    said = [column for column in REMARKS if column in table]
    lines = [_without_empty(table.drop(columns=said)).to_markdown(index=False, floatfmt=".3g", tablefmt="simple")]
    for column in said:
        for text, rows in table[table[column].notna() & (table[column] != "ok")].groupby(column, sort=False):
            lines.append(f"{column}: {text} ({_whose(rows, table)})")
    rest = f"{folder} has picture.svg, details.csv and reference.csv beside methods.csv"
    return "\n\n".join([*lines, f"{rest}: config/README.md explains them."])


def _without_empty(table):
    return table.dropna(axis="columns", how="all").fillna("")


def _whose(rows, table):
    return "every method" if len(rows) == len(table) else ", ".join(dict.fromkeys(rows["method"]))
