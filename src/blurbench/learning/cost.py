"""What a training costs: seconds, and core-seconds of its process."""

import time


class Cost:
    """Time since it was made, which is when a training begins, and what earlier sessions of the training took.

    Core-seconds are processor time of all threads of the process, whatever they do: features, steps, validations.
    Python and its imports come before, and do not count.
    """

    def __init__(self) -> None:
        self._origin = {"seconds": time.perf_counter(), "core_s": time.process_time()}

    def spent(self) -> dict[str, float]:
        """`seconds` and `core_s` up to now."""
        now = {"seconds": time.perf_counter(), "core_s": time.process_time()}
        return {name: now[name] - origin for name, origin in self._origin.items()}

    def add(self, spent: dict[str, float]) -> None:
        """Count what another session took, as its `spent` told."""
        for name, value in spent.items():
            self._origin[name] -= value
