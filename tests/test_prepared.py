"""Prepared inputs: which items come back, how often they are prepared, and what is kept."""

import numpy as np
import pytest
import torch

from blurbench.learning import prepared
from blurbench.learning.prepared import Prepared


def source(n=10, size=4, floats=1):
    """Prepared items that know their number, and the blocks in the order in which they were prepared."""
    made = []

    def prepare(items):
        made.append(items)
        number = torch.arange(items.start, items.stop)
        return number, number[:, None].expand(-1, floats).float().contiguous()

    return Prepared(prepare, n, size), made


def test_items_come_back_block_after_block():
    inputs, made = source()
    index = np.array([9, 1, 8, 0, 3])
    number, values = inputs.take(index)
    assert number.tolist() == [9, 8, 1, 0, 3] and values[:, 0].tolist() == [9, 8, 1, 0, 3]
    assert made == [slice(8, 10), slice(0, 4)]  # as they were asked for, the last one shorter
    assert len(inputs) == 10


def test_an_item_is_prepared_once_as_long_as_it_is_kept():
    inputs, made = source()
    for i in (0, 3, 5, 1, 9):
        number, _ = inputs.item(i)
        assert int(number) == i
    assert made == [slice(0, 4), slice(4, 8), slice(8, 10)]


@pytest.mark.parametrize("kept_mb, expected", [(0, 2), (3.3, 3), (1e6, 5)])
def test_the_last_blocks_are_kept_up_to_an_amount_of_memory(monkeypatch, kept_mb, expected):
    monkeypatch.setattr(prepared, "KEPT_MB", kept_mb)
    inputs, made = source(20, 4, 65_500)  # 1.05 MB a block
    for i in range(20):
        inputs.item(i)
    assert list(inputs.blocks) == [0, 1, 2, 3, 4][-expected:]
    inputs.item(0)
    assert len(made) == (5 if expected == 5 else 6)


def test_columns_of_any_size_an_item():
    ragged = [np.arange(i) for i in range(5)]
    inputs = Prepared(lambda items: [ragged[items]], 5, 2)
    assert [len(inputs.item(i)[0]) for i in range(5)] == [0, 1, 2, 3, 4]
