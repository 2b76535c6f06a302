"""Methods: how every one of them is loaded and run. What a method is stands in blurbench.planning.method."""

import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from blurbench import problems
from blurbench.files import models
from blurbench.files.datasets import Dataset
from blurbench.files.logs import progress
from blurbench.planning.catalogue import MethodError, check_class, describe
from blurbench.running import watchdog

LONG_S = 60  # that an item takes: what is compiled on the way hardly counts then
PATIENCE = 3  # items in a row without an answer: a method that always hangs ends within the time of its job


def load(problem: str, method: str, options: dict[str, Any] | None = None, model: str | Path | None = None) -> Any:
    """Instance of a method; its options become attributes.

    An option that is not stated is that which the model was trained with, or without a model the default. Where the
    training of the model raised there is no instance but None: `predict` asks it nothing, and its file may be why.

    Raises MethodError for an option that the method does not name or allow, in the entry or in the model, and for a
    file that does not keep the contract.
    """
    described = describe(problem, method)
    if unknown := set(options or {}) - set(described.options):
        raise MethodError(f"method {method}: unknown options {sorted(unknown)}, it knows {sorted(described.options)}")
    for name, value in (options or {}).items():
        _check(f"method {method}: {name}", value, described.options[name], described.allowed.get(name, {}))
    if model is not None and models.why_not_trained(model):
        return None
    cls = problems.find(problem, f"methods.{method}.{described.class_name}")
    check_class(problem, method, cls)
    instance = cls()
    trained = _read(model).get("options", {})
    if not isinstance(trained, dict) or (unknown := set(trained) - set(described.options)):
        found = f"unknown options {sorted(map(str, unknown))}" if isinstance(trained, dict) else repr(trained)
        raise MethodError(f"{model}: options: found {found}, expected those of {method}: {sorted(described.options)}")
    for name, value in trained.items():
        _check(f"{model}: options of {method}: {name}", value, described.options[name], described.allowed.get(name, {}))
    for name, value in {**described.options, **trained, **(options or {})}.items():
        setattr(instance, name, value)
    return instance


def _check(where, value, default, allowed):
    if type(value) is type(default) and value == default:
        return
    from blurbench.planning.option_rules import option_faults  # with a library that no default waits for

    for fault in option_faults(where, value, default, allowed):
        raise MethodError(f"{where}: found {fault.found}, expected {fault.expected}")


def _read(model):
    """What a model file holds; nothing without one."""
    return {} if model is None else models.read(model)


def predict(
    method: Any,
    dataset: Dataset,
    model: str | Path | None = None,
    device: str = "cpu",
    timeout_s: float | None = None,
    path: str | Path | None = None,
) -> Any:
    """Answers on every item, chunk by chunk; what fails keeps its row, with the reason as its status.

    A method whose training raised answers no item: of each the status is "not trained" with the reason of that.

    A method of kind learned or classical is given the dataset without its truth. The time of an item is that of its
    chunk over the items in it; the first item is predicted once before, untimed, so that compilation does not count;
    unless it takes LONG_S and is alone in its chunk, as a large image is: then that is its answer.

    Parameters
    ----------
    method : what `load` gave
    dataset : Dataset
    model : path of the file that `training.fit` wrote, where the method is trained
    device : str, as in the configuration
    timeout_s : a call of the method that takes longer is ended, by `watchdog`, and from then on items are tried one by
        one; after PATIENCE items in a row without an answer the rest is not tried. None: no limit, and no other process
    path : predictions file to write; None: the answers are in memory alone, for which images need `timeout_s` None

    Returns
    -------
    what the `read` of the problem's answer gives (`blurbench.files.answers`): a DataFrame, or ImageAnswers
    """
    answer = problems.load(dataset.attrs["problem"]).answer
    with answer.writing(path, dataset) as writer:
        if model is not None and (reason := models.why_not_trained(model)):
            rows = pd.DataFrame({"item": range(len(dataset)), "status": f"not trained: {reason}"})
        else:
            rows = _answered(method, dataset, _read(model) or None, device, timeout_s, writer)
        found = writer.finish(rows)
    # Images are read when asked for, and only now their store has its name.
    return found if path is None else answer.read(path, len(dataset))


def _answered(method, dataset, model, device, timeout_s, writer):
    """Rows of a method's answers on all items."""
    given = dataset if method.kind in ("limit", "control") else dataset.blind()
    bounds = np.cumsum([0, *(len(chunk) for chunk in given.chunks())]).tolist()
    parts = progress(list(pairwise(bounds)), type(method).__name__)
    call = _Call(method, given, model, device, writer)
    if timeout_s is None or not watchdog.can_watch():
        frames = list(_in_parts(call, parts))
    else:
        with watchdog.Watched(call, timeout_s) as watched:
            frames = list(_in_parts(watched, parts))
    return pd.concat(frames or [pd.DataFrame(columns=["item"], dtype=int)], ignore_index=True)


class _Call:
    """Rows of a method's answers on some items; what is called in the watched process."""

    def __init__(self, method, dataset, model, device, writer):
        self.method, self.dataset, self.model, self.device, self.writer = method, dataset, model, device, writer

    def __call__(self, first, stop):
        """Item by item where the items as a whole raise."""
        start = time.perf_counter()
        try:
            answer = self.method.predict(self.dataset[first:stop], self.model, self.device)
            seconds = time.perf_counter() - start
            rows = self.writer.take(answer, first, stop)
        except Exception as error:
            if stop - first > 1:
                return pd.concat([self(item, item + 1) for item in range(first, stop)])
            seconds = time.perf_counter() - start
            rows = pd.DataFrame({"item": [first], "status": [f"{type(error).__name__}: {error}"]})
        # Images may be made while they are taken, and then bring the time of each along.
        taken = rows["seconds"] if "seconds" in rows else 0
        return rows.assign(seconds=seconds / (stop - first) + taken)


def _in_parts(call, parts):
    """Rows of each part (first, stop) of the items; item by item from the first that has no answer on."""
    alone, silent, reason = False, 0, ""
    for first, stop in parts:
        if first == 0:
            start = time.perf_counter()
            with suppress(watchdog.NoAnswer):  # compilation may have taken the time: the item is asked again
                rows = call(0, 1)
                if stop == 1 and time.perf_counter() - start >= LONG_S:
                    yield rows
                    continue
        if not alone:
            try:
                yield call(first, stop)
                continue
            except watchdog.NoAnswer:
                alone = True
        for item in range(first, stop):
            start = time.perf_counter()
            if silent >= PATIENCE:
                yield pd.DataFrame({"item": [item], "status": [f"not tried: {PATIENCE} items before it {reason}"]})
                continue
            try:
                rows, silent = call(item, item + 1), 0
                yield rows
            except watchdog.NoAnswer as error:
                silent, reason = silent + 1, str(error)
                seconds = time.perf_counter() - start
                yield pd.DataFrame({"item": [item], "status": [reason], "seconds": [seconds]})
