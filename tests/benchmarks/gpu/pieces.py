"""Pieces of a session: each leaves a JSON file once it is done, and none is begun that the time left does not hold."""

import json
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from torch.optim.optimizer import register_optimizer_step_post_hook

from blurbench.files.atomic import replacing


class OutOfTime(Exception):
    """The minutes are over; raised at the end of a step of a training."""


class Clock:
    """A budget of minutes that begins now."""

    def __init__(self, minutes):
        self.seconds = 60 * minutes
        self.end = time.monotonic() + self.seconds

    def left(self):
        """Seconds."""
        return self.end - time.monotonic()

    @contextmanager
    def watching(self):
        """Raise OutOfTime in any training, after its first step beyond the minutes.

        Yields the moments (`time.monotonic`) at which steps ended, a list that grows meanwhile.
        """
        moments = []

        def stepped(*_):
            moments.append(time.monotonic())
            if self.left() < 0:
                raise OutOfTime

        hook = register_optimizer_step_post_hook(stepped)
        try:
            yield moments
        finally:
            hook.remove()


@dataclass(eq=False)
class Piece:
    """A piece of work.

    kind : agreement, throughput, dataset or training
    name : what it is about, such as diffusion/report/ours
    out : folder of the session
    make : function () -> dict, what was found
    needs : function () -> seconds that it takes at least, or a sentence that says what it waits for
    """

    kind: str
    name: str
    out: Path
    make: Callable
    needs: Callable

    def __str__(self):
        return f"{self.kind} {self.name}"

    @property
    def file(self):
        """What says that the piece is done, and what was found."""
        return self.out / self.kind / f"{self.name}.json"

    def do(self):
        """Do it, and say that it is done."""
        start = time.monotonic()
        found = self.make()
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self.file) as partial:
            content = {**found, "seconds": time.monotonic() - start}
            partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

    def read(self):
        """What was found; None if the piece is not done."""
        return json.loads(self.file.read_text(encoding="utf-8")) if self.file.exists() else None


def longest(pieces):
    """Seconds of the longest of those of the pieces that are done; 0 if none is."""
    return max((found["seconds"] for piece in pieces if (found := piece.read())), default=0.0)
