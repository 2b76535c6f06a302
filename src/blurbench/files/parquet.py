"""Parquet files: written with a checksum for every page, read with these checked and sizes judged beforehand."""

from pathlib import Path

import pandas as pd
import pyarrow.parquet
from pyarrow import types

from blurbench.files import on_disk
from blurbench.files.atomic import replacing

LIMIT_MB = 2048  # of a table in memory: a file of some bytes may declare any number of rows
CELL_BYTES = 8  # of a number, or of what stands for a text


class ParquetError(ValueError):
    """A file that is no table, is damaged, or declares what nobody should read."""


def write(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a table without its index. The checksums let a reader tell a flipped bit from a number."""
    with replacing(path) as partial:
        frame.to_parquet(partial, index=False, write_page_checksum=True)


def read(path: str | Path) -> pd.DataFrame:
    """Table of a Parquet file.

    Raises ParquetError if it is missing, empty, truncated or altered, holds anything but numbers, texts and truth
    values, has two columns of one name, or declares more than LIMIT_MB or than it can hold. A file that was written
    without checksums is read as it is.
    """
    if found := on_disk.odd(path):
        raise ParquetError(f"{path}: found {found}, expected a Parquet file")
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            about, schema = file.metadata, file.schema_arrow
            declared = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
            declared = max(declared, about.num_rows * about.num_columns * CELL_BYTES) / 1e6
    except Exception as error:  # whatever a damaged footer raises in the decoder
        raise ParquetError(f"{path}: found no Parquet file ({_short(error)}), expected a whole one") from error
    if declared > LIMIT_MB:
        raise ParquetError(f"{path}: found {declared:.4g} MB declared, expected at most {LIMIT_MB} MB")
    if found := on_disk.overstated(declared, path):
        raise ParquetError(f"{path}: found {found}, expected a table that it can hold")
    if twice := [name for name in schema.names if schema.names.count(name) > 1]:
        raise ParquetError(f"{path}: found two columns {twice[0]!r}, expected one of a name")
    if strange := [f"{field.name} of {field.type}" for field in schema if not _plain(field.type)]:
        raise ParquetError(f"{path}: found the column {strange[0]}, expected numbers, texts or truth values")
    try:
        return pd.read_parquet(path, page_checksum_verification=True)
    except Exception as error:  # whatever a damaged page raises in the decoder
        raise ParquetError(
            f"{path}: found no Parquet file that can be read ({_short(error)}), expected a whole one"
        ) from error


def _plain(kind):
    kind = kind.value_type if types.is_dictionary(kind) else kind
    tests = (types.is_integer, types.is_floating, types.is_boolean, types.is_string, types.is_large_string)
    return types.is_null(kind) or any(test(kind) for test in tests)


def _short(error):
    return str(error).partition("\n")[0].removesuffix(".")
