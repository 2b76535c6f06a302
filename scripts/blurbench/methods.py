"""Methods: how every one of them is loaded and run. What a method is stands in blurbench.catalogue."""

import importlib
import time

import numpy as np
import pandas as pd

from blurbench.catalogue import MethodError, describe
from blurbench.logs import progress
from blurbench.predictions import OK


def load(problem: str, method: str, options: dict | None = None):
    """Instance of a method; its options become attributes.

    Raises MethodError for an option that the method does not name.
    """
    described = describe(problem, method)
    if unknown := set(options or {}) - set(described.options):
        raise MethodError(f"method {method}: unknown options {sorted(unknown)}, it knows {sorted(described.options)}")
    module = importlib.import_module(f"blurbench.{problem}.methods.{method}")
    cls = next(
        c for c in vars(module).values() if getattr(c, "__module__", "") == module.__name__ and hasattr(c, "kind")
    )
    instance = cls()
    for name, value in {**described.options, **(options or {})}.items():
        setattr(instance, name, value)
    return instance


def predict(method, dataset, model=None, device="cpu") -> pd.DataFrame:
    """Answers for every item, chunk by chunk; what fails keeps its row, with the reason as its status.

    A method of kind learned or classical is given the dataset without its truth. The time of an item is that of its
    chunk over the items in it; the first item is predicted once before, untimed, so that compilation does not count.

    Parameters
    ----------
    method : instance, of `load`
    dataset : Dataset
    model : path of the file that `training.fit` wrote, where the method is trained
    device : str, as in the configuration
    """
    given = dataset if method.kind in ("limit", "control") else dataset.blind()
    if model is not None:
        from blurbench import models

        model = models.read(model)
    if len(dataset):
        _answers(method, given[:1], model, device)
    answer = importlib.import_module(f"blurbench.{dataset.attrs['problem']}").ANSWER
    frames = [_answers(method, chunk, model, device) for chunk in progress(list(given.chunks()), type(method).__name__)]
    frame = pd.concat(frames or [pd.DataFrame(columns=["seconds", "status"])], ignore_index=True)
    frame = frame.reindex(columns=[*answer, "seconds", "status"])
    lost = ~np.isfinite(frame[answer[0]].to_numpy(float))
    frame.loc[lost & (frame["status"] == OK), "status"] = "not a finite number"
    frame.insert(0, "item", np.arange(len(frame)))
    return frame


def _answers(method, chunk, model, device):
    """Predictions of one chunk; item by item where the chunk as a whole raises."""
    start = time.perf_counter()
    try:
        frame = method.predict(chunk, model, device).reset_index(drop=True)
        if len(frame) != len(chunk):
            raise MethodError(f"{len(frame)} rows for {len(chunk)} items")
        status = pd.Series(OK, index=frame.index)
    except Exception as error:
        if len(chunk) > 1:
            return pd.concat([_answers(method, chunk[i : i + 1], model, device) for i in range(len(chunk))])
        frame, status = pd.DataFrame(index=[0]), pd.Series([f"{type(error).__name__}: {error}"])
    frame["seconds"] = (time.perf_counter() - start) / len(chunk)
    if "status" not in frame:
        frame["status"] = status
    return frame
