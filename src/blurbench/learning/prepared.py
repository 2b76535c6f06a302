"""Prepared inputs of a dataset: block by block when they are asked for, the last blocks kept up to an amount of memory.

Items of a block lie together on disk, and the order of a training (`training.train`) visits one block after the other.
"""

import numpy as np
import torch

from blurbench.planning.memory import KEPT_MB

FEWEST = 2  # blocks that are kept whatever their size, as a batch may hold the end of one and the beginning of the next


class Prepared:
    """Columns of n items, prepared when first asked for.

    Parameters
    ----------
    prepare : function (slice of items) -> columns: each a tensor, item first, or a sequence of an array per item
    n : items;  size : items a block
    """

    def __init__(self, prepare, n, size):
        self.prepare, self.n, self.size, self.blocks = prepare, n, size, {}

    def __len__(self):
        return self.n

    def block(self, number):
        """Columns of the items of one block."""
        if number not in self.blocks:
            first = number * self.size
            columns = self.blocks[number] = list(self.prepare(slice(first, min(first + self.size, self.n))))
            most = max(FEWEST, KEPT_MB / max(_mb(columns), 1e-9))
            while len(self.blocks) > most:
                self.blocks.pop(next(iter(self.blocks)))
        return self.blocks[number]

    def item(self, i):
        """What the columns hold of one item."""
        number, inside = divmod(int(i), self.size)
        return [column[inside] for column in self.block(number)]

    def take(self, index):
        """Columns, all of them tensors, of the items in `index`; those of one block stand together."""
        index = np.asarray(index)
        parts = []
        for number in dict.fromkeys((index // self.size).tolist()):
            inside = torch.from_numpy(index[index // self.size == number] % self.size)
            parts.append([column[inside] for column in self.block(number)])
        return [torch.cat(columns) for columns in zip(*parts)]


def _mb(columns):
    return sum(part.nbytes for column in columns for part in column) / 1e6
