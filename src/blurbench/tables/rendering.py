"""Published tables as people read them: Markdown, HTML and LaTeX, and the summary."""

import html
import warnings

import numpy as np
import pandas as pd
from great_tables import GT

from blurbench.scoring.scores import RANKED

NONE = "–"
GROUPS = {"learned": "methods", "classical": "methods", "limit": "limits", "control": "control"}


def write(table, metrics, title, caption, path, all_formats=True):
    """`path` with .md, and with .html and .tex unless told otherwise.

    One block per dataset: methods by rank, the best learned and the best classical one in bold, limits and control set
    apart; then, for a metric that exists at fixed conditions only, its values by condition.
    """
    blocks = [block for dataset in table.dataset.unique() for block in _blocks(table, metrics, dataset)]
    plain = [(heading, note, rows.drop(columns="group")) for heading, note, rows in blocks]
    path.with_suffix(".md").write_text(document(title, caption, plain), encoding="utf-8")
    if not all_formats:
        return
    tables = [_great(heading, note, rows).with_id(f"{title}-{i}") for i, (heading, note, rows) in enumerate(blocks)]
    path.with_suffix(".html").write_text(
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title></head>\n'
        f"<body><h1>{html.escape(title)}</h1><p>{html.escape(caption)}</p>\n"
        + "\n".join(one.as_raw_html() for one in tables)
        + "\n</body></html>\n",
        encoding="utf-8",
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Styles are not yet supported")
        latex = [one.tab_options(table_font_size="7pt").as_latex() for one in tables]
    path.with_suffix(".tex").write_text(
        "% \\usepackage{booktabs,caption,pdflscape}\n"
        + "\n".join(f"\\begin{{landscape}}\n{one}\n\\end{{landscape}}" for one in latex),
        encoding="utf-8",
    )


def document(title, caption, blocks, level=1) -> str:
    """Markdown of (heading, note, rows of strings), their headings one level below the title's."""
    marks = "#" * level
    parts = [f"{marks} {title}\n\n{caption}\n"]
    parts += [f"{marks}# {heading}\n\n{note}\n\n{markdown(rows)}\n" for heading, note, rows in blocks]
    return "\n".join(parts)


def markdown(frame) -> str:
    """A table of strings in Markdown.

    Not pandas' own, which imports the package `tabulate`: with scripts/ on the path that is the script of that name.
    """
    cells = [list(frame), *frame.astype(str).to_numpy().tolist()]
    widths = [max(map(len, column)) for column in zip(*cells)]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in cells]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def number(mean, low=np.nan, high=np.nan) -> str:
    """`mean [low, high]`, to two digits of the interval's half width; the mean alone where there is no interval."""
    if not np.isfinite(mean):
        return NONE
    width = (high - low) / 2
    if not width > 1e-3 * abs(mean):
        return f"{mean:.3g}".replace("-", "−", 1)
    decimals = int(np.clip(1 - np.floor(np.log10(width)), 0, 6))
    return f"{mean:.{decimals}f} [{low:.{decimals}f}, {high:.{decimals}f}]".replace("-", "−")


def _blocks(table, metrics, dataset):
    """(heading, note, rows of strings) of one dataset; the column `group` tells methods, limits and control apart."""
    table = table[table.dataset == dataset]
    primary = next(iter(metrics))
    overall = table[table.condition == "all"]
    first = overall[overall.metric == primary].copy()
    first["group"] = first.kind.map(GROUPS)
    first["order"] = first.group.map({"methods": 0, "limits": 1, "control": 2})
    first = first.sort_values(["order", "rank", "mean", "method"]).set_index("method")
    best = [_best(first, kind) for kind in RANKED]
    names = [f"**{method}**" if method in best else method for method in first.index]
    seeds = first.n_seeds.max()
    nested = f", up to {seeds} training seeds" if seeds > 1 else ""
    penalty = ", a failed item counting as the worst value" if first.n_failed.any() else ""
    note = (
        f"{first.n_items.max()} items{nested}. Sorted by {metrics[primary].label}{penalty}; "
        "bold: the best learned and the best classical method."
    )
    rows = pd.DataFrame({"group": first.group, "method": names, "kind": first.kind})
    for name, metric in metrics.items():
        if metric.label and not metric.fixed_condition:
            cells = overall[overall.metric == name].set_index("method").reindex(first.index)
            rows[metric.label] = [
                number(*cell) for cell in cells[["mean", "ci_low", "ci_high"]].itertuples(index=False)
            ]
    failed = [f"{n}" if n else "" for n in first.n_failed]
    if any(failed):
        rows["failed"] = failed
    yield dataset, note, rows
    for name, metric in metrics.items():
        if metric.label and metric.fixed_condition:
            wide = table[table.metric == name].pivot(index="method", columns="condition", values="mean")
            wide = wide[table[table.metric == name].condition.unique()].reindex(first.index).map(number)
            rows = pd.concat([rows[["group", "method", "kind"]], wide], axis=1)
            yield f"{dataset}: {metric.label}", "At fixed conditions; the intervals are in the CSV.", rows


def _best(rows, kind):
    """Name of the method of that kind with the smallest rank, None if there is none."""
    rows = rows[(rows.kind == kind) & rows["rank"].notna() & rows["mean"].notna()]
    return None if rows.empty else rows["rank"].idxmin()


def _great(heading, note, rows):
    text = [column for column in rows if column != "group"]
    return GT(rows, groupname_col="group").tab_header(heading, note).fmt_markdown(columns=text)


def summary(problem, table, pairs, failures, name, metric) -> str:
    """Markdown of one problem at one glance: the best methods of each dataset, the limits, and what failed."""
    lines = [f"## {problem}: {metric.label}", ""]
    rows = []
    for dataset, part in table[(table.condition == "all")].groupby("dataset", sort=False):
        first = part[part.metric == name].set_index("method")
        best = {kind: _best(first, kind) for kind in RANKED}
        winner = min((m for m in best.values() if m), key=lambda m: first["rank"][m], default=None)
        row = {"dataset": dataset}
        for kind in RANKED:
            row[f"best {kind}"] = _cell(first, best[kind], bold=best[kind] == winner)
        row["learned less classical"] = _difference(pairs[pairs.dataset == dataset], *best.values())
        row["limits (best method over limit)"] = "; ".join(_limits(first, part, winner)) or NONE
        row["control"] = "; ".join(_cell(first, m, False) for m in first.index[first.kind == "control"]) or NONE
        rows.append(row)
    lines += [markdown(pd.DataFrame(rows)), ""]
    if failures.empty:
        lines += ["No prediction failed.", ""]
    else:
        lines += ["Failed predictions:", ""]
        lines += [f"- {f.dataset}, {f.method}: {f.n_failed} of {f.n}: {f.status}" for f in failures.itertuples()] + [""]
    return "\n".join(lines)


def _cell(rows, method, bold):
    if method is None:
        return NONE
    row = rows.loc[method]
    text = f"{method} {number(row['mean'], row.ci_low, row.ci_high)}"
    text = f"**{text}**" if bold else text
    return text if np.isnan(row["rank"]) else f"{text}, rank {row['rank']:g} ({row.rank_low:g}–{row.rank_high:g})"


def _difference(pairs, a, b):
    if a is None or b is None:
        return NONE
    for first, second, sign in ((a, b, 1), (b, a, -1)):
        found = pairs[(pairs.method_a == first) & (pairs.method_b == second)]
        for pair in found.itertuples():
            low, high = sorted((sign * pair.ci_low, sign * pair.ci_high))
            return f"{number(sign * pair.difference, low, high)}, p = {pair.p_holm:.2g}"
    return NONE


def _limits(first, part, winner):
    for limit in first.index[first.kind == "limit"]:
        ratio = part[(part.metric == f"ratio_to_{limit}") & (part.method == winner)]["mean"]
        factor = f" (×{ratio.iloc[0]:.2g})" if len(ratio) and np.isfinite(ratio.iloc[0]) else ""
        yield f"{limit} {first['mean'][limit]:.3g}{factor}"
