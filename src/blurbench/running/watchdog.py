"""Calls that end: a function runs in a child process, which is killed where a call takes too long.

Nothing else ends compiled code that hangs: Python's signal handlers wait for it to return. The child is forked, so that
neither imports nor data are paid for again. By then the caller must not have computed with PyTorch, OpenMP or a GPU:
their threads do not follow into the child.
"""

import ctypes
import multiprocessing
import signal
import sys
from collections.abc import Callable
from typing import Any

PR_SET_PDEATHSIG = 1


class NoAnswer(RuntimeError):
    """A call that took too long, or whose process crashed."""


class Watched:
    """A function that is called in a child process; use it in a `with` block.

    Parameters
    ----------
    function : called there with what this is called with; neither need survive pickling but its arguments and result
    timeout_s : of one call

    Raises
    ------
    NoAnswer, on a call that took longer or crashed the process; the next call has a new one. What the function raises.
    MemoryError if the process was killed: who kills is most likely out of memory, and tries again with more.
    """

    def __init__(self, function: Callable, timeout_s: float):
        self.function, self.timeout_s = function, timeout_s
        self.child: Any = None
        self.pipe: Any = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def __call__(self, *arguments):
        """What the function returns for `arguments`, in the child process."""
        if self.child is None:
            self._begin()
        self.pipe.send(arguments)
        if not self.pipe.poll(self.timeout_s):
            self.end()
            raise NoAnswer(f"timed out after {self.timeout_s:g} s")
        try:
            error, value = self.pipe.recv()
        except EOFError:
            self.child.join()
            code = self.child.exitcode
            self.end()
            if code == -signal.SIGKILL:
                raise MemoryError("the process that predicts was killed") from None
            how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
            raise NoAnswer(f"the process crashed with {how}") from None
        if error is not None:
            raise error
        return value

    def end(self):
        """Kill the child, if there is one."""
        if self.child is not None:
            self.child.kill()
            self.child.join()
            self.pipe.close()
            self.child = self.pipe = None

    def _begin(self):
        context = multiprocessing.get_context("fork")
        self.pipe, theirs = context.Pipe()
        self.child = context.Process(target=_serve, args=(self.function, theirs, self.pipe))
        self.child.start()
        theirs.close()


def _serve(function, pipe, parents):
    """Answer calls until there is nobody to ask."""
    parents.close()
    if sys.platform == "linux":  # else a child that hangs would outlive a parent that is killed
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    while True:
        try:
            arguments = pipe.recv()
        except EOFError:
            return
        try:
            answer: tuple[Exception | None, Any] = None, function(*arguments)
        except Exception as error:
            answer = error, None
        try:
            pipe.send(answer)
        except BrokenPipeError:
            return
        except Exception as error:  # what cannot be pickled
            pipe.send((RuntimeError(f"{answer}: {error}"), None))


def can_watch() -> bool:
    """Whether this system forks."""
    return "fork" in multiprocessing.get_all_start_methods()
