"""Pages that open without a network: one style, tables to sort and to filter, and terms with what they mean."""

import re
from html import escape

import pandas as pd

from blurbench.tables.rendering import NONE

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1600px; margin: 2rem auto; padding: 0 1rem; color: #222 }
h1, h2, h3 { line-height: 1.2 } h2 { margin-top: 2.5rem; border-top: 1px solid #ccc; padding-top: 1rem }
dl { display: grid; grid-template-columns: minmax(6em, max-content) 1fr; gap: .1rem 1rem }
dt { font-weight: 600 } dd { margin: 0 }
.question { font-size: 1.1em } .small { font-size: .85em; color: #555 } .contents { columns: 18em }
.plain { border-collapse: collapse; margin: .7rem 0; font-size: 13px }
.plain tr > * { text-align: left; vertical-align: top; padding: 1px 12px 1px 0 }
.plain th { border-bottom: 1px solid #999 } .plain td { border-bottom: 1px solid #eee; overflow-wrap: break-word }
.table { overflow-x: auto; margin-bottom: 1rem } table.dataTable { font-size: 13px; font-variant-numeric: tabular-nums }
/* Filters stand above the headings, not below the last row. */
thead { display: table-row-group } tfoot { display: table-header-group } tfoot input { width: 6em }
"""
# Cells are sorted by the number that they begin with; what holds none comes last, and a word stands for itself.
SORTED_AS = f"""function (data, type) {{
    if (type !== 'sort' && type !== 'type') return data;
    const text = String(data).replace(/<[^>]*>/g, '').replace('−', '-').replace(/^[≤>] */, '');
    if (text === '' || text === '{NONE}') return type === 'sort' ? Infinity : '';
    return /^-?[0-9]/.test(text) ? parseFloat(text) : text;
}}"""


def page(title: str, parts: list[str], sorted_tables: bool = True) -> str:
    """A whole page of parts in HTML, below its title; with what sorts and filters, if a part of it is a `table`."""
    body = "\n".join([f"<h1>{escape(title)}</h1>", *([_bundle()] if sorted_tables else []), *parts])
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    head += '<meta name="viewport" content="width=device-width, initial-scale=1">'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'


def _bundle():
    """What a browser needs for tables to sort and to filter."""
    # Not `itables.shiny.init_itables`, which asks a server for the bundle once more.
    from itables import options
    from itables.javascript import generate_init_offline_itables_html as bundle

    return bundle(options.dt_bundle)


def table(rows: pd.DataFrame, name: str, filters: bool = False) -> str:
    """Rows of strings as a table that is sorted by a click on a heading; `**text**` is bold.

    Parameters
    ----------
    rows : as they are to be read, in the order in which they come first
    name : of the table on its page
    filters : whether rows can be searched for, in all columns or in one
    """
    from itables import JavascriptFunction, to_html_datatable

    cells = rows.reset_index(drop=True).astype(str).map(escape)
    cells = cells.replace(r"\*\*(.+?)\*\*", r"<b>\1</b>", regex=True)
    text = to_html_datatable(
        cells.rename(columns=escape),
        connected=False,
        showIndex=False,
        allow_html=True,
        maxBytes=0,
        paging=False,
        order=[],
        text_in_header_can_be_selected=False,  # or a heading would sort at a click on its icon alone
        style="table-layout: auto; width: auto; margin: 0",
        columnDefs=[{"targets": "_all", "render": JavascriptFunction(SORTED_AS)}],
        layout={
            "topStart": "search" if filters else None,
            "topEnd": None,
            "bottomStart": "info" if filters else None,
            "bottomEnd": None,
        },
        classes="display compact nowrap",
        table_id=re.sub(r"\W", "_", name),
        column_filters="footer" if filters else False,
    )
    return f'<div class="table">{text}</div>'


def plain(rows: pd.DataFrame) -> str:
    """Rows of strings as a table that nothing sorts: a page may hold hundreds at no cost."""
    with pd.option_context("display.max_colwidth", None):
        return rows.to_html(index=False, classes="plain", border=0, justify="unset")


def terms(meanings: dict[str, str]) -> str:
    """What each term means, or which value it has."""
    rows = (f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>" for term, text in meanings.items())
    return f"<dl>{''.join(rows)}</dl>"


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph, of a class of STYLE if given."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"
