"""Calls side by side, in as many processes as a job has threads."""

import multiprocessing
from collections.abc import Callable, Iterable
from typing import Any

from joblib import Parallel, delayed


def side_by_side(function: Callable, calls: Iterable[tuple]) -> list[Any]:
    """Results of a function for each of some tuples of arguments, in their order.

    The processes are forked, so that neither imports nor what numba has compiled are paid for again; where a system
    does not fork, as with one thread, all is done here. By then nothing may have been computed with PyTorch, OpenMP or
    a GPU: their threads do not follow into a process. How many there are says LOKY_MAX_CPU_COUNT, which
    `files.logs.logged` sets; without it all cores.

    Parameters
    ----------
    function : of a module, as it is sent to the processes by name
    calls : asked for as processes become free, so that they are not all in memory
    """
    forks = "fork" in multiprocessing.get_all_start_methods()
    backend = multiprocessing.get_context("fork") if forks else "sequential"
    return Parallel(n_jobs=-1, backend=backend)(delayed(function)(*arguments) for arguments in calls)
