"""Every table of one problem."""

import pandas as pd

from blurbench import problems
from blurbench.planning import mistakes
from blurbench.scoring.metric import numbers
from blurbench.scoring.scores import Scores
from blurbench.tables import extra, failures, pairs, published, rendering
from blurbench.tables.problem_page import Section, document
from blurbench.tables.settings import Settings


def tabulate(problem, scores: list[Scores], given: Settings) -> dict[str, pd.DataFrame | str]:
    """Tables and texts by the names that rules/tabulate.smk gives their files.

    The main table is `csv`, for people `md` and `tex`; `html` is a page of all tables, `pairs` are the paired
    differences, `failures` the failed predictions. An extra table is `<name>_csv` and `<name>_md`, made by
    <problem>/tables/<name>.py, or by `tables.mistakes` and, of the trials of sweeps, `tables.sweep`, with

    - `table(scores, given)`, the frame for the CSV,
    - `blocks(table)` and `summary(table)`, (heading, note, rows of strings) for its Markdown and for summary.md; the
      latter yields nothing where the table is not shown,
    - `TITLE` and `CAPTION`.

    Parameters
    ----------
    problem : a folder of blurbench
    scores : of all its datasets; those with mistakes stand in no table but their own. Datasets are in the order of
        `given.datasets`
    """
    order = {name: i for i, name in enumerate(given.datasets)}
    scores = sorted(scores, key=lambda one: order.get(one.dataset, len(order)))
    plain = [one for one in scores if mistakes.COLUMN not in one.items]
    declared, caption = numbers(problems.find(problem, "score.METRICS")), problems.find(problem, "score.CAPTION")
    main = published.table(problem, plain, declared, given)
    sections = [Section("scores", caption, list(rendering.blocks(main, declared)))]
    made = {
        "csv": main,
        "md": rendering.markdown(problem, caption, sections[0].blocks),
        "tex": rendering.latex(problem, sections[0].blocks),
        "pairs": pairs.table(plain, *declared[0], given),
        "failures": failures.table(scores),
    }
    for name in extra.names(problem, given):
        parts = "TITLE", "CAPTION", "table", "blocks"
        title, caption, table, blocks = (extra.part(problem, name, part) for part in parts)
        beside = made[f"{name}_csv"] = table(scores if name in extra.SHARED else plain, given)
        sections.append(Section(title, caption, list(blocks(beside))))
        made[f"{name}_md"] = rendering.markdown(f"{problem}: {title}", caption, sections[-1].blocks)
    made["html"] = document(problem, sections, main, made["pairs"])
    return made
