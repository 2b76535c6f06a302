"""Datasets with mistakes: the same items several times, each time otherwise in one way than methods are told.

They are parts of one dataset, so that a method goes through all of them in one job: a process for each would cost more
than its work.
"""

from typing import Any

from blurbench.planning.merging import merged

KEY = "mistakes"  # of a dataset's entry: {name: what is otherwise}, the first as methods expect it
COLUMN = "mistake"  # of its items: the number of the part that an item is of; of its scores: the name


def parts(dataset: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Entry of each part of an expanded dataset, by the name of its mistake; none for a dataset without mistakes."""
    plain = {key: value for key, value in dataset.items() if key != KEY}
    return {name: merged(plain, change) for name, change in dataset.get(KEY, {}).items()}
