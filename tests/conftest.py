"""What tests share; the long files begin first."""

import os
import warnings

import pytest

os.environ.setdefault("LOKY_MAX_CPU_COUNT", "1")  # tests run side by side: what may take all processes takes one

LONG = ("test_faults", "test_workflow", "test_mutated_files")  # files of few tests, each of which takes long


def pytest_collection_modifyitems(items):
    """The long files first: one that began last would keep one process waiting for the other."""
    items.sort(key=lambda item: item.path.stem not in LONG)


@pytest.fixture
def no_warnings():
    """A warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ResourceWarning)  # of what another test left to be collected
        yield
