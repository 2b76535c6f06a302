"""What the methods of a problem answer: numbers, points or images; how an answer is checked, written and read back.

An answer goes to its file in parts. A writer's `take` is called with what a method returned for some items, in the
process that the method runs in, and gives a row for each of them; images are written there and then, so that none
waits in memory or crosses a pipe. `finish` makes the whole of all rows: what failed keeps its row, with the reason as
`status` and nothing in place of an answer.

A plan reads the declarations, so numpy, pandas and zarr are imported where data are handled.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from blurbench.files.datasets import Dataset

OK = "ok"
NO_ROW = "no row in the predictions file"


class AnswerError(ValueError):
    """An answer of a method that is none, or a predictions file that cannot be scored."""


@dataclass(frozen=True)
class _Rows:
    """Answers that are rows of a table, kept in a Parquet file: item, the columns, seconds, status."""

    columns: tuple[str, ...]
    suffix: ClassVar[str] = ".parquet"

    @property
    def required(self) -> tuple[str, ...]:
        """Columns that an answer must have; the others may be missing, and are NaN then."""
        raise TypeError(f"{type(self).__name__} requires nothing")

    def rows(self, answer: Any, n: int) -> pd.DataFrame:
        """DataFrame of a method's answer on n items, numbered from 0. Raises AnswerError if it is none."""
        raise TypeError(f"{type(self).__name__} has no rows")

    @contextmanager
    def writing(self, path: str | Path | None, dataset: Dataset) -> Iterator[_RowWriter]:
        """Writer of the answers on a dataset; without a path they are not written."""
        yield _RowWriter(self, path)

    def read(self, path: str | Path, n_items: int) -> pd.DataFrame:
        """Answers on every item, in order; an item without a row gets one that says so.

        Parameters
        ----------
        path : predictions file, Parquet or CSV. What a user's own rule wrote may lack columns that are not required
            (NaN then, as are `seconds`) and `status` (then "ok")
        n_items : of the dataset

        Returns
        -------
        DataFrame: item, the columns, seconds, status

        Raises
        ------
        AnswerError if the file is damaged, a column missing or not of numbers, or an item unknown.
        """
        import numpy as np
        import pandas as pd

        frame = _table(path)
        if missing := {"item", *self.required} - set(frame):
            raise AnswerError(f"{path}: columns {sorted(missing)} are missing, found {sorted(frame)}")
        for name in ("item", *self.columns, "seconds"):
            frame[name] = _floats(frame[name], path) if name in frame else np.nan
        items = frame["item"].to_numpy()
        if (wrong := ~np.isin(items, np.arange(n_items))).any():
            expected = f"whole numbers from 0 to {n_items - 1}, as the dataset has {n_items} items"
            raise AnswerError(f"{path}: column item: found {items[wrong][0]:g}, expected {expected}")
        frame["item"] = items.astype(int)
        if "status" not in frame:
            frame["status"] = OK
        silent = pd.DataFrame({"item": np.setdiff1d(np.arange(n_items), items)}).assign(status=NO_ROW)
        frame = pd.concat([frame, silent]).sort_values("item", kind="stable", ignore_index=True)
        return frame[["item", *self.columns, "seconds", "status"]]

    def damage(self, path: str | Path, n_items: int) -> list[str]:
        """What is wrong with a predictions file, "file: found ..., expected ..."; empty if nothing is."""
        try:
            found = self.read(path, n_items)
        except AnswerError as error:
            return [str(error)]
        if self.unexplained(found).any():
            return [f"{path}: found an item without an answer whose status is {OK}, expected a reason"]
        return []

    def unexplained(self, table: pd.DataFrame) -> pd.Series:
        """Which rows hold no answer, and no reason for it either: none, where nothing found is an answer too."""
        return table["item"].isna()

    def _table(self, answer):
        """The method's DataFrame, with a plain index; refused if it is something else, or lacks what is required."""
        import pandas as pd

        if not isinstance(answer, pd.DataFrame):
            raise AnswerError(f"a {type(answer).__name__}, expected a DataFrame with {', '.join(self.columns)}")
        if missing := set(self.required) - set(answer):
            raise AnswerError(f"columns {sorted(missing)} are missing, found {list(answer)}")
        return answer.reset_index(drop=True)


def _table(path):
    """Table of a predictions file."""
    import pandas as pd

    from blurbench.files import on_disk, parquet

    if Path(path).suffix != ".csv":
        try:
            return parquet.read(path)
        except parquet.ParquetError as error:
            raise AnswerError(str(error)) from error
    if found := on_disk.odd(path):
        raise AnswerError(f"{path}: found {found}, expected a table")
    try:
        return pd.read_csv(path, skipinitialspace=True)
    except (OSError, ValueError, OverflowError) as error:
        raise AnswerError(f"{path}: found no table ({error}), expected columns with a heading") from error


def _floats(column, path):
    """A column of a user's file as floats; what is missing is NaN."""
    import pandas as pd

    numbers = pd.to_numeric(column, errors="coerce")
    wrong = column[numbers.isna() & column.notna()]
    if len(wrong):
        raise AnswerError(f"{path}: column {column.name}: found {wrong.iloc[0]!r}, expected numbers")
    return numbers.astype(float)


@dataclass(frozen=True)
class Numbers(_Rows):
    """A row of numbers an item; the first column is the answer itself, the others say more of it."""

    @property
    def required(self) -> tuple[str, ...]:
        """The first column."""
        return self.columns[:1]

    def rows(self, answer: Any, n: int) -> pd.DataFrame:
        """A row per item, in order."""
        import numpy as np

        frame = self._table(answer)
        if len(frame) != n:
            raise AnswerError(f"{len(frame)} rows for {n} items")
        lost = ~np.isfinite(frame[self.columns[0]].to_numpy(float))
        return frame.assign(item=np.arange(n), status=np.where(lost, "not a finite number", OK))

    def read(self, path: str | Path, n_items: int) -> pd.DataFrame:
        """As of any table; raises AnswerError for an item with two rows as well."""
        frame = super().read(path, n_items)
        if (twice := frame["item"].duplicated()).any():
            raise AnswerError(f"{path}: item {frame['item'][twice].iloc[0]} has two rows")
        return frame

    def unexplained(self, table: pd.DataFrame) -> pd.Series:
        """Rows whose answer is no number though their status says that all is well."""
        return (table["status"] == OK) & table[self.columns[0]].isna()


@dataclass(frozen=True)
class Points(_Rows):
    """Any number of points an item: the first columns are their coordinates, the others say more of each.

    An item has a row per point, and one without coordinates if nothing was found in it.
    """

    dims: int = 3

    @property
    def required(self) -> tuple[str, ...]:
        """The coordinates."""
        return self.columns[: self.dims]

    def rows(self, answer: Any, n: int) -> pd.DataFrame:
        """A row per point by item, and a row without a point for each item that has none."""
        import numpy as np
        import pandas as pd

        frame = self._table(answer)
        if not frame["item"].isin(range(n)).all():
            raise AnswerError(
                f"points of items {sorted(set(frame['item']) - set(range(n)))[:3]}, there are 0 to {n - 1}"
            )
        if not np.isfinite(frame[list(self.required)].to_numpy(float)).all():
            raise AnswerError("a point that is not a finite number")
        empty = pd.DataFrame({"item": np.setdiff1d(np.arange(n), frame["item"])})
        return pd.concat([frame, empty]).sort_values("item", kind="stable", ignore_index=True).assign(status=OK)


class _RowWriter:
    """Collects rows, and writes them at the end."""

    def __init__(self, answer: _Rows, path: str | Path | None):
        self.answer, self.path = answer, path

    def take(self, answer: Any, first: int, stop: int) -> pd.DataFrame:
        """Rows of a method's answer on the items from `first` to before `stop`."""
        rows = self.answer.rows(answer, stop - first)
        return rows.assign(item=rows["item"] + first)

    def finish(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The table of all rows; written, if there is a path."""
        from blurbench.files import parquet

        table = rows.reindex(columns=["item", *self.answer.columns, "seconds", "status"])
        if self.path is not None:
            parquet.write(table, self.path)
        return table


class ImageAnswers(NamedTuple):
    """Answers that are images, as they are read back.

    table : DataFrame item, seconds, status, one row an item
    images : (item, ...), read when indexed; where the status is not "ok" they hold nothing (NaN, or 0 in whole numbers)
    """

    table: Any
    images: Any


@dataclass(frozen=True)
class Images:
    """An array an item, in a Zarr store with a manifest (.json) beside it: a volume of numbers, or an image of labels.

    dtype : of the stored values; what a method gives must fit into it
    shape : of an array; that of the item's image if it is not stated
    without : axes of the item's image that an array has not, such as "view" where one is made of several
    """

    dtype: str
    shape: tuple[int, ...] | None = None
    without: tuple[str, ...] = ()
    columns: ClassVar[tuple[str, ...]] = ()
    suffix: ClassVar[str] = ".zarr"

    @contextmanager
    def writing(self, path: str | Path | None, dataset: Dataset) -> Iterator[_ImageWriter]:
        """Writer of the answers on a dataset; without a path they stay in memory.

        The store and its manifest appear under their names when the block ends, or not at all.
        """
        from blurbench.files.atomic import replacing

        if path is None:
            yield _ImageWriter(self, {}, None, dataset)
            return
        with replacing(path, Path(path).with_suffix(".json")) as (store, manifest):
            yield _ImageWriter(self, store, manifest, dataset)

    def checked(self, image: Any, shape: tuple[int, ...]) -> np.ndarray:
        """A method's array as it is stored. Raises AnswerError if it has another shape, or values that do not fit."""
        import numpy as np

        image, dtype = np.asarray(image), np.dtype(self.dtype)
        if image.shape != shape:
            raise AnswerError(f"an image of shape {image.shape}, expected {shape}")
        if image.dtype.kind not in "biuf" or (dtype.kind in "iu" and image.dtype.kind == "f"):
            raise AnswerError(f"an image of {image.dtype}, expected values that fit into {dtype}")
        if image.dtype.kind == "f" and not np.isfinite(image).all():
            raise AnswerError("an image with values that are not finite numbers")
        limits = np.iinfo(dtype) if dtype.kind in "iu" else np.finfo(dtype)
        if image.size and not limits.min <= image.min() <= image.max() <= limits.max:
            raise AnswerError(f"values from {image.min()} to {image.max()}, expected such as fit into {dtype}")
        return image.astype(dtype, copy=False)

    def read(self, path: str | Path, n_items: int) -> ImageAnswers:
        """Answers on every item.

        Parameters
        ----------
        path : the store; the manifest beside it may lack what a user's own rule does not know, `seconds` and `status`
        n_items : of the dataset

        Raises
        ------
        AnswerError if there is no whole store with its manifest, or not an array for every item.
        """
        import json

        import numpy as np
        import pandas as pd
        import zarr

        from blurbench.files import on_disk
        from blurbench.files.datasets import DatasetError, Window, judge

        manifest = Path(path).with_suffix(".json")
        try:
            if odd := on_disk.odd_store(path, manifest):
                raise ValueError(odd)
            about = json.loads(manifest.read_text(encoding="utf-8"))
            images = zarr.open_group(str(path), mode="r", zarr_format=3)["images"]
            table = {name: about.get(name, default) for name, default in (("seconds", np.nan), ("status", OK))}
            table = pd.DataFrame({"item": range(n_items), **table})
        except Exception as error:  # whatever damaged metadata raise
            raise AnswerError(f"{path}: no whole store of images with its manifest was found ({error})") from error
        arrays = about.get("arrays")
        try:
            judge(f"{path}/images", images, described=arrays.get("images") if isinstance(arrays, dict) else None)
        except DatasetError as error:
            raise AnswerError(str(error)) from error
        if images.shape[0] != n_items or str(images.dtype) != self.dtype:
            found = f"{images.shape[0]} images of {images.dtype}"
            raise AnswerError(f"{path}: found {found}, expected {n_items} of {self.dtype}")
        table["seconds"] = _floats(table["seconds"], manifest)
        return ImageAnswers(table, Window(images, 0, n_items))

    def damage(self, path: str | Path, n_items: int) -> list[str]:
        """What is wrong with a store, "file: found ..., expected ..."; empty if it is what its manifest says."""
        from blurbench.files import datasets

        try:
            self.read(path, n_items)
        except AnswerError as error:
            return [str(error)]
        return datasets.damage(path, Path(path).with_suffix(".json"))


class _ImageWriter:
    """Writes every image when it is taken."""

    def __init__(self, answer: Images, store: Any, manifest: Path | None, dataset: Dataset):
        import zarr

        from blurbench.files.datasets import COMPRESSOR

        shape = answer.shape or dataset.images.shape[1:]
        if answer.without:
            axes = dataset.attrs["axes"][1:]
            shape = tuple(n for axis, n in zip(axes, shape, strict=True) if axis not in answer.without)
        group = zarr.create_group(store, zarr_format=3)
        self.array = group.create_array(
            "images",
            shape=(len(dataset), *shape),
            chunks=(1, *shape),
            dtype=answer.dtype,
            fill_value=float("nan") if answer.dtype.startswith("float") else 0,
            compressors=COMPRESSOR,
        )
        self.answer, self.manifest = answer, manifest

    def take(self, answer: Any, first: int, stop: int) -> pd.DataFrame:
        """Write a method's images of the items from `first` to before `stop`, one by one as they come; their rows."""
        import pandas as pd

        images, rows = iter(answer), []
        for item in range(first, stop):
            start = time.perf_counter()
            if (image := next(images, None)) is None:
                raise AnswerError(f"{item - first} images for {stop - first} items")
            seconds = time.perf_counter() - start
            self.array[item] = self.answer.checked(image, self.array.shape[1:])
            rows.append((item, seconds, OK))
        if next(images, None) is not None:
            raise AnswerError(f"more images than {stop - first} items")
        return pd.DataFrame(rows, columns=["item", "seconds", "status"])

    def finish(self, rows: pd.DataFrame) -> ImageAnswers:
        """Take back what a failed item left, and write the manifest."""
        import json

        from blurbench.files.datasets import Window, checksum

        table = rows.reindex(columns=["item", "seconds", "status"]).sort_values("item", ignore_index=True)
        for item in table["item"][table["status"] != OK]:
            self.array[item] = self.array.fill_value
        about = {"shape": list(self.array.shape), "dtype": str(self.array.dtype), "blake2b": checksum(self.array)}
        content = {"items": len(table), "arrays": {"images": about}, **table[["seconds", "status"]].to_dict("list")}
        if self.manifest is not None:
            self.manifest.write_text(json.dumps(content) + "\n", encoding="utf-8")
        return ImageAnswers(table, Window(self.array, 0, len(table)))
