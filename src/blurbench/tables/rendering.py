"""Published tables as people read them: rows of strings, in Markdown and LaTeX; `page` makes HTML of them."""

import warnings

import numpy as np
import pandas as pd
from great_tables import GT

from blurbench.scoring.scores import RANKED
from blurbench.scoring.statistics import FEWEST

NONE = "–"
ROUNDING = 1e-9  # what is smaller is an error of rounding
CLAIM = 20  # items under a condition, with fewer of which nothing is claimed of it
FEW = f"†: fewer than {CLAIM} items under a condition, too few for a claim about it."
GROUPS = {"learned": "methods", "classical": "methods", "limit": "limits", "control": "control"}


def markdown(title, caption, blocks, level=1) -> str:
    """Markdown of (heading, note, rows of strings), their headings one level below the title's."""
    marks = "#" * level
    parts = [f"{marks} {title}\n\n{caption}\n"]
    parts += [f"{marks}# {heading}\n\n{note}\n\n{rows(table)}\n" for heading, note, table in blocks]
    return "\n".join(parts)


def rows(table) -> str:
    """Markdown of rows of strings."""
    return table.to_markdown(index=False, disable_numparse=True)


def latex(title, blocks) -> str:
    """LaTeX of (heading, note, rows of strings), the rows grouped by their index, each on a page of its own."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Styles are not yet supported")
        tables = [
            _great(*block).with_id(f"{title}-{i}").tab_options(table_font_size="7pt").as_latex()
            for i, block in enumerate(blocks)
        ]
    pages = [f"\\begin{{landscape}}\n{table}\n\\end{{landscape}}" for table in tables]
    return "% \\usepackage{booktabs,caption,pdflscape}\n" + "\n".join(pages)


def estimate(mean, low=np.nan, high=np.nan) -> str:
    """`mean [low, high]`, to two digits of the interval's half width; the mean alone, to three, where there is none."""
    if not np.isfinite(mean):
        return NONE
    width = (high - low) / 2
    if not width > ROUNDING:
        return digits(mean, 3)
    n = _decimals(width, 2)
    return f"{mean:z.{n}f} [{low:z.{n}f}, {high:z.{n}f}]".replace("-", "−")


def digits(x, n) -> str:
    """A number to n digits, more where it has more before its point; never as a power of ten."""
    return f"{x:.{_decimals(x, n)}f}".replace("-", "−") if abs(x) > ROUNDING else "0"


def _decimals(size, n):
    """How many decimals show n digits of a size."""
    return max(0, n - 1 - int(np.floor(np.log10(abs(size)))))


def blocks(table, numbers):
    """(heading, note, rows of strings) of a published table; the rows' index tells methods, limits and control apart.

    Of each dataset: methods by rank, the best learned and the best classical one in bold, limits and control set apart;
    then, for a number that exists at fixed conditions only, its values by condition.

    Parameters
    ----------
    table : of `published.table`
    numbers : those of `metrics.numbers` that it holds
    """
    for dataset in table.dataset.unique():
        yield from _blocks(table[table.dataset == dataset], dataset, [number for _, number in numbers])


def _blocks(table, dataset, numbers):
    primary, overall = numbers[0], table[table.condition == "all"]
    first = overall[overall.metric == primary.name].copy()
    first["group"] = first.kind.map(GROUPS)
    first["order"] = first.group.map({"methods": 0, "limits": 1, "control": 2})
    first = first.sort_values(["order", "rank", "mean", "method"]).set_index("method")
    winners = [best(first, kind) for kind in RANKED]
    names = [f"**{method}**" if method in winners else method for method in first.index]
    penalty = " A failed item counts as the worst value everywhere." if first.n_failed.any() else ""
    note = (
        f"{first.n_items.max()} items{_conditions(table)} {_intervals(first)}{penalty} "
        f"Sorted by {primary.label}; bold: the best learned and the best classical method."
    )
    named = pd.DataFrame({"method": names, "kind": first.kind.to_numpy()}, index=first["group"])
    rows = named.copy()
    for number in numbers:
        if number.label and not number.fixed_condition:
            cells = overall[overall.metric == number.name].set_index("method").reindex(first.index)
            rows[number.label] = [
                estimate(*cell) for cell in cells[["mean", "ci_low", "ci_high"]].itertuples(index=False)
            ]
    if first.n_failed.any():
        rows["failed"] = [f"{n}" if n else "" for n in first.n_failed]
    yield dataset, note, rows
    for number in numbers:
        if number.label and number.fixed_condition:
            part = table[table.metric == number.name]
            wide = part.pivot(index="method", columns="condition", values="mean")
            wide = wide[part.condition.unique()].reindex(first.index).map(estimate)
            counts = part.groupby("condition").n_items.min()
            wide.columns = [condition + few(counts[condition]) for condition in wide]
            note = "At fixed conditions; the intervals are in the CSV." + (f" {FEW}" if few(counts.min()) else "")
            yield f"{dataset}: {number.label}", note, pd.concat([named, wide.set_index(named.index)], axis=1)


def few(items) -> str:
    """The mark of a number of items that is too small for a claim."""
    return " †" if items < CLAIM else ""


def _conditions(table):
    """How few items stand under a condition, where they are too few for a claim; and a full stop."""
    fewest = table.n_items.min()
    return f", as few as {fewest} under a condition: too few for a claim about it." if few(fewest) else "."


def _intervals(first):
    """What the intervals of a dataset are over."""
    learned = first[first.kind == "learned"]
    if (first.interval == "none").all():
        return f"No intervals: they take {FEWEST} items."
    if (learned.interval == "items, seeds").any():
        return "Intervals over items, those of learned methods over training seeds as well."
    if len(learned):
        n = int(learned.n_seeds.max())
        seeds = f"{n} training seed{'s' * (n > 1)}"
        return f"Intervals over items, those of learned methods for the networks at hand ({seeds})."
    return "Intervals over items."


def best(rows, kind):
    """Name of the method of that kind with the smallest rank, None if there is none."""
    rows = rows[(rows.kind == kind) & rows["rank"].notna() & rows["mean"].notna()]
    return None if rows.empty else rows["rank"].idxmin()


def _great(heading, note, rows):
    table = GT(rows.rename_axis("group").reset_index(), groupname_col="group")
    return table.tab_header(heading, note).fmt_markdown(columns=list(rows))
