"""What the methods of a problem answer: numbers, points or images.

A plan reads these declarations, so numpy and pandas are imported where an answer is handled.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Numbers:
    """A row of numbers an item; a method must give the first of the columns, the others may be missing."""

    columns: tuple[str, ...]
    suffix = ".parquet"
    points = False


@dataclass(frozen=True)
class Points:
    """Any number of points an item: `coordinates` (µm from the centre of the first voxel), and columns beside."""

    coordinates: tuple[str, ...]
    beside: tuple[str, ...] = ()
    suffix = ".parquet"
    points = True

    @property
    def columns(self):
        """Names of all columns, the coordinates first."""
        return self.coordinates + self.beside
