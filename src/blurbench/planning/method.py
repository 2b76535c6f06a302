"""The contract of a method: what the class in blurbench/<problem>/methods/<method>.py must have.

A file holds one such class. It need not inherit from these: they say what is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

if TYPE_CHECKING:  # a plan imports neither
    import numpy as np
    import pandas as pd

Kind = Literal["learned", "classical", "limit", "control"]
KINDS: tuple[str, ...] = get_args(Kind)


class Method(Protocol):
    """A method of any kind.

    The attributes are written out in the class body, as literals: a plan reads them without running the file. An
    instance is made without arguments and is then given its options as attributes of the same names.

    Attributes
    ----------
    kind : learned, classical, limit (what physics allows; sees the truth) or control (what everybody must beat; sees it
        too)
    trains : whether the class has a `fit`, its own or inherited. True for every learned method, and for a classical
        one that chooses its settings
    bound : limits only; True where its answers state a bound and are no estimates from the items, so that an interval
        of its row would mean nothing. False if left out
    network : learned methods only; False where it is no network, and wants neither steps nor a GPU. True if left out
    options : names of the options and their defaults, as a configuration may hold them; may be left out. A value is of
        the kind of its default, a number from 0 on, a whole one from 1, a list not empty
    allowed : what else is to be said of options, as JSON schemas by name: {"answer": {"enum": ["mean", "mode"]},
        "dropout": {"exclusiveMaximum": 1}}; may be left out
    """

    kind: Kind
    trains: bool
    options: dict[str, Any]
    allowed: dict[str, dict[str, Any]]
    bound: bool
    network: bool

    def predict(self, dataset: Any, model: dict[str, Any] | None, device: str) -> pd.DataFrame | Iterable[np.ndarray]:
        """Answers for every item of a dataset, in its order.

        An answer depends on its item alone. An exception is an item's failure: it is told as the item's status.

        Parameters
        ----------
        dataset : blurbench.files.datasets.Dataset of 0 or more items, as many as memory allows at a time; without its
            truth, and without what a microscopist does not know, if `kind` is learned or classical
        model : what `fit` returned; None for a method that does not train
        device : cpu or cuda, where networks run

        Returns
        -------
        What the problem's `PROBLEM.answer` says, with its columns and units.
        Numbers: DataFrame with a row per item; the first column is the answer, NaN where there is none, the others may
        be missing.
        Points: DataFrame with a row per point; `item` counts from 0, an item in which nothing is found has no row.
        Images: iterable of arrays, one per item; a generator, so that one is in memory at a time.
        """
        ...


class TrainedMethod(Method, Protocol):
    """A method that learns from the training split, or chooses its settings on the validation split."""

    def fit(self, splits: dict[str, Any], budget: Any, device: str, seed: int) -> tuple[dict[str, Any], pd.DataFrame]:
        """Train.

        The same arguments give the same model on the same machine. An exception is the end of the training: the method
        then answers no item, with that as the reason.

        Parameters
        ----------
        splits : Datasets `train` and `validation`, with their truth
        budget : blurbench.learning.training.Budget
        device : cpu or cuda, where networks are trained
        seed : of every random number of the training

        Returns
        -------
        model : dict of tensors and plain values, which is written as it is and given to `predict`
        curve : DataFrame, the learning curve: items, seconds, validation_loss, and others; what the whole training took
            (`seconds`, `core_s`) is filled into its last row
        """
        ...
