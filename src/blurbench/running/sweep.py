"""A sweep: of its trials, each a whole training, the one with the least validation loss is the method's model."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from blurbench.files import learning_curves
from blurbench.files.learning_curves import CurveError

OUTCOME = ["items", "seconds", "core_s", "validation_loss", "chosen"]  # columns beside the trial and the values tried


def choose(values: list[dict], models: list, curves: list, model: str | Path, curve: str | Path) -> pd.DataFrame:
    """Copy the model and learning curve of the best trial; if all trainings raised, those of the first, which say so.

    Parameters
    ----------
    values : of each trial, {key of the sweep: value}
    models, curves : paths of what each trial's training wrote
    model, curve : paths to write

    Returns
    -------
    DataFrame, a row per trial: trial, the values, and OUTCOME: items presented, seconds and core-seconds of training,
    the least validation loss, whether it is chosen. A loss that is not finite is never the least. A trial whose
    training raised has NaN.

    Raises
    ------
    CurveError for a learning curve that cannot be read, and if trials were trained and none has a finite loss.
    """
    rows = []
    for trial, (tried, path) in enumerate(zip(values, curves, strict=True)):
        points = learning_curves.read(path, OUTCOME[:-1])[OUTCOME[:-1]]
        loss, end = points.pop("validation_loss"), points.tail(1).mean()  # NaN of no row
        rows.append({"trial": trial, **tried, **end, "validation_loss": loss[np.isfinite(loss)].min()})
    table = pd.DataFrame(rows).astype({"items": "Int64"})
    trained, finite = table["items"].notna(), table["validation_loss"].notna()
    if trained.any() and not finite.any():
        raise CurveError(f"validation_loss: found no finite number in {', '.join(map(str, curves))}, expected one")
    best = int(table["validation_loss"].idxmin()) if finite.any() else 0
    shutil.copyfile(models[best], model)
    shutil.copyfile(curves[best], curve)
    return table.assign(chosen=(table.index == best) & finite)
