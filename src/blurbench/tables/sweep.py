"""What was tried for each method that is swept, and what was chosen."""

import pandas as pd

from blurbench.planning.schema_faults import is_number
from blurbench.running.sweep import OUTCOME

TITLE = "what was tried on validation"
CAPTION = (
    "Each trial is a whole training with the values of its row, and with the method's budget but for what is swept. "
    "That with the least validation loss (bold) is the method in the other tables, for each training seed by itself; "
    "nothing is trained any further. items: training items presented; seconds, core_s: of training."
)
OF = ["dataset", "method", "seed"]


def table(scores, given) -> pd.DataFrame:
    """Every trial: dataset, method, seed, trial, the values tried, items, seconds, core_s, validation_loss, chosen."""
    parts = [
        pd.read_csv(file).assign(dataset=dataset, method=method, seed=seed)
        for dataset, method, seed, file in given.trials
    ]
    found = pd.concat(parts, ignore_index=True)
    values = [column for column in found if column not in (*OF, "trial", *OUTCOME)]
    return found[[*OF, "trial", *values, *OUTCOME]]


def blocks(table):
    """(heading, note, rows of strings) of each method on each dataset, the chosen trials in bold."""
    for (dataset, method), part in table.groupby(["dataset", "method"], sort=False):
        yield f"{dataset}: {method}", f"{part['trial'].nunique()} trials.", _shown(part)


def summary(table):
    """(heading, note, rows of strings) of the trials that were chosen."""
    for (dataset, method), part in table[table.chosen].groupby(["dataset", "method"], sort=False):
        count = table[(table.dataset == dataset) & (table.method == method)]["trial"].nunique()
        yield f"{dataset}: {method}", f"The best of {count} trials.", _shown(part)


def _shown(part):
    """Rows of strings of one sweep: without the values that it does not try, whose columns are those of others."""
    values = part.drop(columns=[*OF, *OUTCOME]).dropna(axis=1, how="all")
    shown = pd.concat([part[["seed"]], values, part[OUTCOME].drop(columns="chosen")], axis=1)
    text = shown.map(lambda value: f"{value:.4g}" if is_number(value) else str(value))
    return text.where(~part.chosen, "**" + text + "**", axis=0)
