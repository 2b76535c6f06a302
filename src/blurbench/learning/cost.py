"""What a training costs: seconds, and core-seconds of its process, start-up apart."""

import time

from numba.core import event


class Cost:
    """Time since it was made, which is when a training begins, and what earlier sessions of the training took.

    Core-seconds are processor time of all threads of the process, whatever they do: features, steps, validations.
    Python and its imports come before, and do not count; nor does the time in which numba compiles, or loads what it
    has compiled before, as the first job after an edit would pay for all.
    """

    def __init__(self) -> None:
        self._origin = _working()

    def spent(self) -> dict[str, float]:
        """`seconds` and `core_s` up to now."""
        return {name: now - self._origin[name] for name, now in _working().items()}

    def add(self, spent: dict[str, float]) -> None:
        """Count what another session took, as its `spent` told."""
        for name, value in spent.items():
            self._origin[name] -= value


class _Compiling(event.Listener):
    """Time during which numba's compiler is at work, or its cache is read; one holds the lock for either."""

    def __init__(self) -> None:
        self.total, self.depth = {"seconds": 0.0, "core_s": 0.0}, 0
        event.register("numba:compiler_lock", self)

    def on_start(self, event) -> None:
        if not self.depth:
            self.start = _clocks()
        self.depth += 1

    def on_end(self, event) -> None:
        self.depth -= 1
        if not self.depth:
            for name, now in _clocks().items():
                self.total[name] += now - self.start[name]


def _clocks():
    return {"seconds": time.perf_counter(), "core_s": time.process_time()}


def _working():
    """The clocks, as if they had stood still while numba compiled."""
    return {name: now - _compiling.total[name] for name, now in _clocks().items()}


_compiling = _Compiling()
