"""A method's budget: for how many epochs, hence steps, and how a network is trained."""

from dataclasses import dataclass, field
from pathlib import Path

from blurbench.learning.cost import Cost


@dataclass
class Budget:
    """How long and how a network is trained; the `budget` of a method, and where its checkpoint lies."""

    epochs: float = 10  # passes over the training items
    batch_size: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup: float = 0.05  # share of the steps in which the learning rate rises
    validations: int = 20  # over the whole budget; each leaves a checkpoint
    patience: int = 8  # validations without a gain before the training stops
    precision: str = "float32"  # of what is multiplied, or bfloat16: the configuration's, of which every budget has it
    threads: int = 1
    checkpoint: Path | None = None
    fingerprint: str = ""  # of all that the weights depend on: a checkpoint of anything else is not gone on from
    cost: Cost = field(default_factory=Cost)  # what the training took so far; it begins with its budget

    def steps(self, n_train):
        """Steps of the optimiser for a number of training items."""
        return max(1, int(self.epochs * n_train) // min(self.batch_size, n_train))
