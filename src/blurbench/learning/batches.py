"""Batches of a training in the order of its steps; on a GPU the next is made while a step runs.

A step there leaves the processor idle, which then prepares what comes next. Without a GPU both want the same cores, of
which a job is given no more than it says, so that batch and step take turns.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager


@contextmanager
def in_order(make: Callable, steps: Iterable[int], ahead: bool) -> Iterator[Iterator]:
    """Iterator over `make(step)` of each step.

    Parameters
    ----------
    make : function (step) -> batch, which depends on nothing but the step: it is called in the same order either way,
        but from a thread of its own if `ahead`
    steps : numbers of the steps
    ahead : whether a batch is made while the one before it is in use; at most one is, and is in memory beside it
    """
    if not ahead:
        yield map(make, steps)
        return
    with ThreadPoolExecutor(1, "batches") as thread:
        yield _ahead(thread, make, steps)


def _ahead(thread, make, steps):
    waiting = None
    for step in steps:
        coming = thread.submit(make, step)
        if waiting:
            yield waiting.result()
        waiting = coming
    if waiting:
        yield waiting.result()
