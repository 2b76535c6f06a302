"""What the parts of one training cost: a few steps, on a few items, tell what all of them will."""

import math
import time
from contextlib import contextmanager
from dataclasses import dataclass
from unittest import mock

import numpy as np
from torch.optim.optimizer import register_optimizer_step_post_hook

from blurbench.files.datasets import Dataset
from blurbench.learning.budget import Budget
from blurbench.learning.device import find_device
from blurbench.learning.prepared import FEWEST, Prepared
from blurbench.planning.memory import KEPT_MB
from blurbench.running import methods

MEASURED_S = 8  # core-seconds of steps
FEWEST_STEPS, MOST_STEPS = 6, 300
DIGITS = 3  # of epochs and numbers of items


@dataclass
class StepCost:
    """Core-seconds.

    prepare : of an item, read and prepared; for a learner that takes no steps, all that it does with one
    step : of a step of `batch` items; 0 for a learner that takes no steps
    validate : of an item in a validation
    besides : of what is done once, such as a choice of thresholds
    block, item_mb : items that are prepared at a time (0: all of them), and what is kept of each
    copies : inputs that are prepared of each training item, itself among them
    most : training items that a learner without steps takes, if there are more
    """

    prepare: float
    step: float
    batch: int
    validate: float
    besides: float
    block: int
    item_mb: float
    copies: float = 1
    most: float = math.inf

    @classmethod
    def measured(cls, problem, entry, stores):
        """Of a method's expanded entry, on the stores train.zarr and validation.zarr of a folder."""
        splits = {name: Dataset.open(stores / f"{name}.zarr") for name in ("train", "validation")}
        n, batch = len(splits["train"]), min(entry["budget"].get("batch_size", Budget.batch_size), len(splits["train"]))

        def train(splits, steps):
            n, changes = len(splits["train"]), {"validations": 2, "patience": 99}
            budget = Budget(**{**entry["budget"], **changes, "epochs": (steps + 0.5) * min(batch, n) / n})
            instance = methods.load(problem, entry["method"], entry["options"])
            with watched() as seen:
                start = time.process_time()
                instance.fit(splits, budget, find_device("cpu"), 1)
                seen.end = time.process_time()
            return start, seen

        # All items, as memory that a process asks for the first time costs more than later.
        _, seen = train({"train": splits["train"], "validation": splits["validation"][:2]}, 4)
        if not seen.steps:
            start, seen = train(splits, 1)
            most = entry["options"].get("images", math.inf)
            return cls((seen.end - start) / (n + len(splits["validation"])), 0, 1, 0, 0, 0, 0, most=most)
        usual = seen.steps[-1] - seen.steps[-2]
        steps = 2 * (int(np.clip(MEASURED_S / usual, FEWEST_STEPS, MOST_STEPS)) // 2)
        start, seen = train(splits, steps)
        ends, first = np.array(seen.steps), seen.steps[0]
        plain = [b - a - seen.preparing(a, b) for a, b in zip(ends, ends[1:])]
        validating = plain.pop(steps // 2 - 1)
        step = float(np.mean(plain))
        validation = max(validating - step, 0.0)
        before = first - start - seen.preparing(start, first) - step
        after = seen.end - ends[-1] - seen.preparing(ends[-1], seen.end) - validation
        validate, besides = validation / len(splits["validation"]), max(before, 0.0) + max(after, 0.0)
        return cls(seen.prepare, step, batch, validate, besides, seen.block(n), seen.item_mb, seen.copies(n))

    def of(self, items, epochs, validations):
        """Core-seconds of a training of so many epochs on so many `items` (of train and of validation)."""
        n, presented = items["train"], epochs * items["train"]
        if not self.step:
            return self.prepare * (min(n, self.most) + items["validation"]) + self.besides
        inputs = round(self.copies * n)
        size = self.block or inputs
        kept = max(FEWEST * size, KEPT_MB / max(self.item_mb, 1e-9))
        few = min(inputs, math.ceil(presented / size) * size)
        prepared = inputs if not self.block else presented if inputs > kept else few
        given = self.prepare * (prepared + items["validation"]) + self.besides
        return given + self.step / self.batch * presented + self.validate * validations * items["validation"]

    def epochs(self, wanted, items, validations):
        """Epochs of a training that costs the core-seconds wanted."""
        return _solved(lambda epochs: self.of(items, epochs, validations) - wanted, 1e-4, 1e6)

    def items(self, wanted, items, epochs, validations):
        """Training items of a training that costs the core-seconds wanted, with so many epochs."""
        found = _solved(lambda n: self.of({**items, "train": n}, epochs, validations) - wanted, 1, 1e8)
        return round(found)


def _solved(excess, low, high):
    """Where a rising function is 0, to DIGITS."""
    for _ in range(60):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if excess(middle) < 0 else (low, middle)
    return float(f"{low:.{DIGITS}g}")


class Seen:
    """What `watched` saw: `steps`, processor time at the end of each; `made`, (start, stop, items, MB, block, all)."""

    def __init__(self):
        self.steps, self.made, self.end = [], [], 0.0

    def preparing(self, start, stop):
        """Core-seconds of preparations between two moments."""
        return sum(b - a for a, b, *_ in self.made if start <= a and b <= stop)

    @property
    def prepare(self):
        """Core-seconds an item."""
        return sum(b - a for a, b, *_ in self.made) / max(sum(n for _, _, n, *_ in self.made), 1)

    @property
    def item_mb(self):
        """MB that are kept of an item."""
        return sum(mb for *_, mb, _, _ in self.made) / max(sum(n for _, _, n, *_ in self.made), 1)

    def block(self, n):
        """Items of a block of the training items, of which there were n; 0 where all are prepared at once."""
        size = self.made[0][-2] if self.made else 0
        return 0 if size == n else size

    def copies(self, n):
        """Inputs that are prepared of each training item."""
        return self.made[0][-1] / n if self.made else 1


@contextmanager
def watched():
    """A `Seen` of the training within."""
    seen, original = Seen(), Prepared.block

    def block(self, number):
        if number in self.blocks:
            return original(self, number)
        start = time.process_time()
        columns = original(self, number)
        mb = sum(part.nbytes for column in columns for part in column) / 1e6
        seen.made.append((start, time.process_time(), len(columns[0]), mb, self.size, len(self)))
        return columns

    hook = register_optimizer_step_post_hook(lambda *_: seen.steps.append(time.process_time()))
    try:
        with mock.patch.object(Prepared, "block", block):
            yield seen
    finally:
        hook.remove()
