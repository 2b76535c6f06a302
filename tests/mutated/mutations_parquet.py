"""Mutations of Parquet files: the same format with other columns, values, types and descriptions."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from mutated.evil import pickled


def _opened(folder):
    path = next(path for path in sorted(folder.rglob("*.parquet")) if path.is_file())
    return path, pq.read_table(path)


def _other(n, rng):
    """A column of n values of another type."""
    numbers = np.arange(n)
    ways = [
        lambda: pa.array(["word"] * n),
        lambda: pa.array([str(k) for k in numbers]),
        lambda: pa.array([None] * n, pa.float64()),
        lambda: pa.nulls(n),
        lambda: pa.array([float("nan")] * n),
        lambda: pa.array([np.inf] * n),
        lambda: pa.array([2**63] * n, pa.uint64()),
        lambda: pa.array([-1] * n),
        lambda: pa.array([10**6] * n),
        lambda: pa.array([True] * n),
        lambda: pa.array([[1.0]] * n),
        lambda: pa.array([{"a": 1}] * n),
        lambda: pa.array([b"\xff"] * n),
        lambda: pa.array(pd.to_datetime(["2020-01-01"] * n)),
        lambda: pa.array([0] * n, pa.date32()),
        lambda: pa.array([0] * n, pa.timestamp("s", tz="Europe/Berlin")),
        lambda: pa.array([0] * n, pa.duration("ns")),
        lambda: pa.array([1] * n, pa.decimal128(5, 2)),
        lambda: pa.array(["a"] * n).dictionary_encode(),
        lambda: pa.array(numbers, pa.float16()) if n < 100 else pa.nulls(n),
        lambda: pa.array(numbers, pa.int8()) if n < 100 else pa.nulls(n),
        lambda: pa.array(numbers / 2),
    ]
    return rng.choice(ways)()


def column(folder, rng):
    """A column of other values, other name, twice or not there."""
    path, table = _opened(folder)
    k = rng.randrange(table.num_columns)
    match rng.choice(["values"] * 6 + ["rename", "remove", "double", "more"]):
        case "values":
            table = table.set_column(k, table.column_names[k], _other(table.num_rows, rng))
        case "rename":
            names = list(table.column_names)
            names[k] = rng.choice(["item", "D", "z", "", "word", "a" * 3000, "__index_level_0__", "status"])
            table = table.rename_columns(names)
        case "remove":
            table = table.remove_column(k)
        case "double":
            table = table.append_column(table.column_names[k], table.column(k))
        case _:
            table = table.append_column("more", _other(table.num_rows, rng))
    pq.write_table(table, path)
    return path


def rows(folder, rng):
    """Fewer or more rows; of a constant column millions cost nothing."""
    path, table = _opened(folder)
    match rng.choice(["fewer", "none", "twice", "many", "groups"]):
        case "fewer":
            pq.write_table(table.slice(1), path)
        case "none":
            pq.write_table(table.slice(0, 0), path)
        case "twice":
            pq.write_table(pa.concat_tables([table, table]), path)
        case "many":
            n = rng.choice([10**5, 10**6])
            same = {name: pa.array(np.zeros(n), pa.float64()) for name in table.column_names if name != "status"}
            pq.write_table(pa.table(same), path, compression="zstd")
        case _:
            pq.write_table(table, path, row_group_size=1)
    return path


def described(folder, rng):
    """What pandas and Arrow are told of the columns in the file's own words, an old type that unpickles among them."""
    path, table = _opened(folder)
    about = {"index_columns": [], "column_indexes": [], "columns": [], "pandas_version": "3"}
    match rng.choice(["index", "range", "types", "text", "extension", "none"]):
        case "index":
            about["index_columns"] = [rng.choice(["item", "nowhere", 5, None, {"kind": "word"}])]
        case "range":
            stop = rng.choice([10**12, -1, "word", 3])
            about["index_columns"] = [{"kind": "range", "name": None, "start": 0, "stop": stop, "step": 1}]
        case "types":
            kinds = [
                "categorical",
                "datetimetz",
                "word",
                "period[M]",
                "interval[int64, right]",
                "object",
                "Sparse[int]",
            ]
            about["columns"] = [
                {"name": name, "field_name": name, "pandas_type": rng.choice(kinds), "numpy_type": rng.choice(kinds)}
                | {"metadata": rng.choice([None, {"timezone": "word"}, {"num_categories": 2**40, "ordered": True}])}
                for name in table.column_names
            ]
        case "text":
            about = rng.choice(["word", [], None, 5])
        case "extension":
            names = ["arrow.py_extension_type", "pandas.period", "pandas.interval", "arrow.json", "arrow.uuid"]
            field = table.schema.field(0).with_metadata(
                {b"ARROW:extension:name": rng.choice(names).encode(), b"ARROW:extension:metadata": pickled(rng)}
            )
            table = table.cast(pa.schema([field, *list(table.schema)[1:]]))
        case _:
            pq.write_table(table.replace_schema_metadata(None), path)
            return path
    pq.write_table(table.replace_schema_metadata({"pandas": json.dumps(about)}), path)
    return path


ALL = [column] * 10 + [rows] * 3 + [described] * 5
