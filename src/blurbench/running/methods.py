"""Methods: how every one of them is loaded and run. What a method is stands in blurbench.planning.method."""

import time
from contextlib import suppress
from itertools import pairwise

import numpy as np
import pandas as pd

from blurbench import problems
from blurbench.files.logs import progress
from blurbench.files.predictions import OK
from blurbench.planning.catalogue import MethodError, check_class, describe
from blurbench.running import watchdog

PATIENCE = 3  # items in a row without an answer: a method that always hangs ends within the time of its job


def load(problem: str, method: str, options: dict | None = None):
    """Instance of a method; its options become attributes.

    Raises MethodError for an option that the method does not name, and for a file that does not keep the contract.
    """
    described = describe(problem, method)
    if unknown := set(options or {}) - set(described.options):
        raise MethodError(f"method {method}: unknown options {sorted(unknown)}, it knows {sorted(described.options)}")
    cls = problems.find(problem, f"methods.{method}.{described.class_name}")
    check_class(problem, method, cls)
    instance = cls()
    for name, value in {**described.options, **(options or {})}.items():
        setattr(instance, name, value)
    return instance


def predict(method, dataset, model=None, device="cpu", timeout_s=None) -> pd.DataFrame:
    """Answers for every item, chunk by chunk; what fails keeps its row, with the reason as its status.

    A method of kind learned or classical is given the dataset without its truth. The time of an item is that of its
    chunk over the items in it; the first item is predicted once before, untimed, so that compilation does not count.
    Where the answers are points, an item has a row per point, and one without coordinates if nothing was found.

    Parameters
    ----------
    method : instance, of `load`
    dataset : Dataset
    model : path of the file that `training.fit` wrote, where the method is trained
    device : str, as in the configuration
    timeout_s : a call of the method that takes longer is ended, by `watchdog`, and from then on items are tried one by
        one; after PATIENCE items in a row without an answer the rest is not tried. None: no limit, and no other process
    """
    given = dataset if method.kind in ("limit", "control") else dataset.blind()
    if model is not None:
        from blurbench.files import models

        model = models.read(model)
    answer = problems.load(dataset.attrs["problem"]).answer
    arrange = _points if answer.points else _numbers

    def call(first, stop):
        return _answers(method, given[first:stop], model, device, arrange)

    bounds = np.cumsum([0, *(len(chunk) for chunk in given.chunks())]).tolist()
    parts = progress(list(pairwise(bounds)), type(method).__name__)
    if timeout_s is None or not watchdog.can_watch():
        frames = list(_in_parts(call, parts))
    else:
        with watchdog.Watched(call, timeout_s) as watched:
            frames = list(_in_parts(watched, parts))
    frame = pd.concat(frames or [pd.DataFrame(columns=["item"], dtype=int)], ignore_index=True)
    return frame.reindex(columns=["item", *answer.columns, "seconds", "status"])


def _in_parts(call, parts):
    """Predictions of each part (first, stop) of the items; item by item from the first that has no answer on."""
    alone, silent, reason = False, 0, ""
    for first, stop in parts:
        if first == 0:
            with suppress(watchdog.NoAnswer):  # compilation may have taken the time: the item is asked again
                call(0, 1)
        if not alone:
            try:
                frame = call(first, stop)
                yield frame.assign(item=frame["item"] + first)
                continue
            except watchdog.NoAnswer:
                alone = True
        for item in range(first, stop):
            start = time.perf_counter()
            if silent >= PATIENCE:
                yield pd.DataFrame({"item": [item], "status": [f"not tried: {PATIENCE} items before it {reason}"]})
                continue
            try:
                frame, silent = call(item, item + 1), 0
                yield frame.assign(item=item)
            except watchdog.NoAnswer as error:
                silent, reason = silent + 1, str(error)
                seconds = time.perf_counter() - start
                yield pd.DataFrame({"item": [item], "status": [reason], "seconds": [seconds]})


def _answers(method, chunk, model, device, arrange):
    """Predictions of one chunk; item by item where the chunk as a whole raises."""
    start = time.perf_counter()
    try:
        frame = arrange(method.predict(chunk, model, device).reset_index(drop=True), len(chunk))
    except Exception as error:
        if len(chunk) > 1:
            alone = (_answers(method, chunk[i : i + 1], model, device, arrange) for i in range(len(chunk)))
            return pd.concat([frame.assign(item=i) for i, frame in enumerate(alone)])
        frame = pd.DataFrame({"item": [0], "status": [f"{type(error).__name__}: {error}"]})
    frame["seconds"] = (time.perf_counter() - start) / len(chunk)
    return frame


def _numbers(frame, n):
    """A row per item, in order; the first column is the answer."""
    if len(frame) != n:
        raise MethodError(f"{len(frame)} rows for {n} items")
    lost = ~np.isfinite(frame.iloc[:, 0].to_numpy(float))
    return frame.assign(item=np.arange(n), status=np.where(lost, "not a finite number", OK))


def _points(frame, n):
    """A row per point by item, and a row without a point for each item that has none."""
    if not frame["item"].isin(range(n)).all():
        raise MethodError(f"points of items {sorted(set(frame['item']) - set(range(n)))[:3]}, there are 0 to {n - 1}")
    if not np.isfinite(frame[["z", "y", "x"]].to_numpy(float)).all():
        raise MethodError("a point that is not a finite number")
    empty = pd.DataFrame({"item": np.setdiff1d(np.arange(n), frame["item"])})
    return pd.concat([frame, empty]).sort_values("item", kind="stable", ignore_index=True).assign(status=OK)
