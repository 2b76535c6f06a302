"""A movie of spots of known D, and what is prepared of it."""

import pytest
from beads import RECORDING, SPEC, write_movie

from blurbench.diffusion import preparation
from blurbench.files.datasets import Dataset


@pytest.fixture(scope="session")
def recording(tmp_path_factory):
    """Entry of the configuration."""
    path = tmp_path_factory.mktemp("movie") / "spots.tif"
    write_movie(path)
    return {**RECORDING, "file": str(path)}


@pytest.fixture(scope="session")
def tracked(recording, tmp_path_factory):
    """Spots and stacks."""
    folder = tmp_path_factory.mktemp("stacks")
    spots = preparation.prepare(recording, SPEC, folder / "items.zarr", folder / "items.json")
    return spots, Dataset.open(folder / "items.zarr")
