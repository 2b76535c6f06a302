"""Mutations of the files in a folder, each by the random numbers of its seed alone.

One that finds nothing to change returns None, and another is drawn. Whatever would run code writes `MARK`.
"""

import contextlib
import copy
import csv
import functools
import io
import json
import math
import os
import re
import shutil
import struct
import sys

import tifffile
from mutated import mutations_hdf5, mutations_parquet, mutations_torch
from mutated.evil import pickled

INTERESTING = [0, 1, -1, 2, 7, 127, 255, 2**15, 2**16 - 1, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1]
TEXTS = ["", " ", "word", "nan", "NaN", "inf", "-inf", "-1", "0", "1e400", "1e9", "99999999999", "1,5", "None", "\x01"]
TEXTS += ["0x10", "1e-320", "12abc", "µ", "../up", "/dev/zero", "a" * 3000, "٣", "True", "[1]", "\ud7ff"]
VALUES = [None, True, False, "", "word", "1", "nan", "../up", "/dev/zero", "a" * 3000, 0, 1, -1, 3, 0.5, 2**31, 2**40]
VALUES += [2**63, 10**30, 1e300, math.nan, math.inf, -math.inf, [], [1], [0], [[1]], [None], [-1, -1], {}, {"a": 1}]
VALUES += [[2**20] * 3, [2**31] * 2, ["word"], {"name": "word"}, {"name": "numcodecs.pickle", "configuration": {}}]
VALUES += [[{"name": "gzip", "configuration": {"level": 5}}], "float64", "object", "|O", "complex64", "string", "<U5"]
VALUES += ["datetime64[s]", "bool", "int8", {"name": "struct", "configuration": {"fields": []}}, "r16", "bytes"]


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def some(folder, rng, endings=None):
    """One of the files, None if there is none of these endings."""
    found = [path for path in files(folder) if endings is None or path.name.endswith(endings)]
    return rng.choice(found) if found else None


# Bytes of any file


def near(rng, n):
    """A place in a file of n bytes, in its head and its tail more often."""
    match rng.choice(["head", "tail", "any"]):
        case "head":
            return rng.randrange(min(n, 512))
        case "tail":
            return n - 1 - rng.randrange(min(n, 512))
    return rng.randrange(n)


def edited(change):
    """Mutation of a file's bytes, by a function (content, rng) -> content."""

    @functools.wraps(change)
    def mutate(folder, rng):
        path = some(folder, rng)
        if path is None or not (content := path.read_bytes()):
            return None
        path.write_bytes(change(bytearray(content), rng))
        return path

    return mutate


@edited
def flip(content, rng):
    for _ in range(rng.choice([1, 1, 2, 8, 40])):
        content[near(rng, len(content))] ^= 1 << rng.randrange(8)
    return content


@edited
def number(content, rng):
    width, order = rng.choice([1, 2, 4, 8]), rng.choice("<>")
    at = near(rng, len(content))
    value = rng.choice([*INTERESTING, len(content), at]) & (1 << 8 * width) - 1
    content[at : at + width] = struct.pack(order + {1: "B", 2: "H", 4: "I", 8: "Q"}[width], value)
    return content


@edited
def truncate(content, rng):
    return content[: rng.choice([0, 1, near(rng, len(content)), rng.randrange(len(content))])]


@edited
def extend(content, rng):
    more = rng.choice([bytes(1), bytes(5000), rng.randbytes(64), bytes(content)])
    return content + more if rng.random() < 0.7 else bytearray(more) + content


@edited
def cut_out(content, rng):
    at, n = near(rng, len(content)), rng.choice([1, 2, 8, 100])
    return content[:at] + content[at + n :]


@edited
def repeat(content, rng):
    at, n = near(rng, len(content)), rng.choice([1, 8, 100])
    return content[:at] + content[at : at + n] + content[at:]


@edited
def noise(content, rng):
    return bytearray(rng.randbytes(len(content)))


def text(folder, rng):
    """A text in place of another of the file, of the same length or not."""
    path = some(folder, rng)
    if path is None or not (found := list(re.finditer(rb"[A-Za-z0-9_.:=+-]{2,}", content := path.read_bytes()))):
        return None
    word = rng.choice(found)
    new = rng.choice(TEXTS).encode("utf-8", "surrogatepass")
    new = new[: len(word[0])].ljust(len(word[0])) if rng.random() < 0.5 else new
    path.write_bytes(content[: word.start()] + new + content[word.end() :])
    return path


def remove(folder, rng):
    path = some(folder, rng)
    path and path.unlink()
    return path


def swap(folder, rng):
    """Two files change places, as chunks or parts of a recording might."""
    if len(found := files(folder)) < 2:
        return None
    one, other = rng.sample(found, 2)
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second), other.write_bytes(first)
    return one


def link(folder, rng):
    """A link, a pipe or a folder in place of a file."""
    path = some(folder, rng)
    content = path.read_bytes()
    path.unlink()
    outside = folder.parent / "outside"
    outside.write_bytes(content)
    match rng.choice(["outside", "nowhere", "itself", "device", "pipe", "folder", "above"]):
        case "outside":
            path.symlink_to(outside)
        case "nowhere":
            path.symlink_to(folder / "nowhere")
        case "itself":
            path.symlink_to(path)
        case "device":
            path.symlink_to(rng.choice(["/dev/zero", "/dev/null", "/dev/stdin"]))
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "above":
            path.symlink_to(folder)
    return path


def more(folder, rng):
    """A file more, of another name or another's content."""
    path = some(folder, rng)
    names = ["zarr.json", ".zgroup", ".zattrs", "a.tif", "a.png", "frame_9.png", f"frame_{10**30}.png", "Thumbs.db"]
    names = [rng.choice(names), f"{path.stem} copy{path.suffix}", path.name + "\udcff", "x\ny" + path.suffix]
    other = path.with_name(rng.choice(names))
    other.write_bytes(rng.choice([b"", b"{}", b"word", path.read_bytes()]))
    return other


# Texts with structure


def places(entry):
    """(container, key) of every value within an entry."""
    found = []
    if isinstance(entry, (dict, list)):
        for key, value in entry.items() if isinstance(entry, dict) else enumerate(entry):
            found += [(entry, key), *places(value)]
    return found


def altered(entry, rng):
    """One place of what JSON holds changed."""
    if not (found := places(entry)):
        return rng.choice(VALUES)
    at, key = rng.choice(found)
    match rng.choice(["value"] * 5 + ["near", "near", "delete", "rename", "copy", "double"]):
        case "delete":
            del at[key]
        case "near" if isinstance(at[key], (int, float)) and not isinstance(at[key], bool):
            at[key] = rng.choice([at[key] + 1, at[key] - 1, -at[key], at[key] * 1000, at[key] * 10**9, at[key] + 0.5])
        case "rename" if isinstance(at, dict):
            at[rng.choice([f"{key}z", "images", "truth/x", "../up", "items/", "a/../../b", ""])] = at.pop(key)
        case "copy":
            other, name = rng.choice(found)
            at[key] = copy.deepcopy(other[name])
        case "double" if isinstance(at[key], list):
            at[key] = at[key] * rng.choice([2, 1000])
        case _:
            at[key] = copy.deepcopy(rng.choice(VALUES))
    return entry


def json_value(folder, rng):
    path = some(folder, rng, (".json", ".zarray", ".zattrs", ".zgroup"))
    if path is None:
        return None
    entry = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(altered(entry, rng)), encoding="utf-8")
    return path


def json_text(folder, rng):
    """What a parser of JSON must survive."""
    path = some(folder, rng, (".json", ".zarray", ".zattrs", ".zgroup"))
    if path is None:
        return None
    content = path.read_text(encoding="utf-8", errors="replace")
    deep = rng.choice([500, 20_000, 200_000])
    path.write_text(
        rng.choice(
            [
                "[" * deep + "]" * deep,
                '{"a":' * deep + "1" + "}" * deep,
                content.replace("{", '{"shape": [1], ', 1),
                re.sub(r"\d+", "9" * 5000, content, count=rng.choice([1, 2, 5])),
                "\ufeff" + content,
                content[:-1],
                content + "x",
                "null",
                "NaN",
                content.replace('"', "'"),
            ]
        ),
        encoding="utf-8",
    )
    return path


ELEMENTS = ["Image", "Pixels", "TiffData", "UUID", "Plane", "Channel", "OME", "BinaryOnly"]


def xml(folder, rng):
    """A change of OME's metadata, in the first page of a TIFF or in a file of their own."""
    path = some(folder, rng, (".ome.tif", ".companion.ome"))
    if path is None:
        return None
    tiff = path.name.endswith(".tif")
    content = tifffile.tiffcomment(path) if tiff else path.read_text(encoding="utf-8")
    for _ in range(rng.choice([1, 1, 2, 4])):
        content = altered_xml(content, rng)
    if tiff:
        tifffile.tiffcomment(path, content.encode("utf-8", "replace"))
    else:
        path.write_text(content, encoding="utf-8", errors="replace")
    return path


def altered_xml(content, rng):
    attributes = list(re.finditer(r'(\w+)="([^"]*)"', content))
    tags = list(re.finditer(r"<[^>]+>", content))
    if not attributes or not tags:
        return content
    match rng.choice(["value"] * 6 + ["size"] * 3 + ["attribute", "tag", "twice", "rename", "text", "entity", "deep"]):
        case "value":
            one, new = rng.choice(attributes), rng.choice(TEXTS)
            return content[: one.start(2)] + new.replace("\x01", "&#1;") + content[one.end(2) :]
        case "size":
            sizes = [one for one in attributes if one[1].startswith(("Size", "First", "PlaneCount", "IFD", "The"))]
            if not sizes:
                return content
            one, new = rng.choice(sizes), str(rng.choice([*INTERESTING, 3, 9, 16, 10**6, 10**12, 10**25, 0.5]))
            return content[: one.start(2)] + new + content[one.end(2) :]
        case "attribute":
            one = rng.choice(attributes)
            return content[: one.start()] + content[one.end() :]
        case "tag":
            one = rng.choice(tags)
            return content[: one.start()] + content[one.end() :]
        case "twice":
            one = rng.choice(tags)
            return content[: one.end()] + one[0] * rng.choice([1, 2, 2000]) + content[one.end() :]
        case "rename":
            one, other = rng.choice(ELEMENTS), rng.choice(ELEMENTS)
            return content.replace(f"<{one}", f"<{other}").replace(f"</{one}>", f"</{other}>")
        case "text":
            one = rng.choice(tags)
            new = rng.choice(["1", "word", "<a/>", "<a>1</a>", "&amp;", "&", "<!--"])
            return content[: one.end()] + new + content[one.end() :]
        case "entity":
            names = "".join(f'<!ENTITY a{k + 1} "{f"&a{k};" * 10}">' for k in range(9))
            outside = f'<!ENTITY x SYSTEM "{rng.choice(["file:///etc/passwd", "http://127.0.0.1:9/x"])}">'
            inside = rng.choice(["&a9;", "&x;"])
            body = (content.partition("?>")[2] or content).replace("</OME>", f"{inside}</OME>")
            return f'<!DOCTYPE OME [<!ENTITY a0 "aaaaaaaaaa">{names}{outside}]>{body}'
        case _:
            n = rng.choice([500, 50_000])
            return content.replace("</OME>", "<a>" * n + "</a>" * n + "</OME>")


def tag(folder, rng):
    """Type, count or value of a tag of a page of a TIFF."""
    path = some(folder, rng, (".tif", ".TIF"))
    if path is None:
        return None
    with tifffile.TiffFile(path) as tiff:
        page = rng.choice(list(tiff.pages))
        one, big, order = rng.choice(list(page.tags)), tiff.is_bigtiff, tiff.byteorder
        start, at, dtype = one.offset, one.valueoffset, one.dtype
    content = bytearray(path.read_bytes())
    count, wide = (start + 4, "Q" if big else "I"), {3: "H", 4: "I", 16: "Q", 1: "B", 5: "II"}.get(int(dtype), "I")
    value = rng.choice([*INTERESTING, len(content), 3, 5, 8, 16, 32, 64, 50000, 1000, 65535, 34712, 33005])
    match rng.choice(["value"] * 5 + ["count", "type", "code", "offset"]):
        case "value":
            packed = b"".join(struct.pack(order + w, value & (1 << 8 * struct.calcsize(w)) - 1) for w in wide)
        case "count":
            at, packed = count[0], struct.pack(order + count[1], value & (1 << 8 * struct.calcsize(count[1])) - 1)
        case "type":
            at, packed = start + 2, struct.pack(order + "H", rng.choice([0, 1, 2, 3, 4, 5, 7, 11, 12, 13, 16, 99]))
        case "code":
            codes = [256, 257, 258, 259, 262, 270, 273, 277, 278, 279, 282, 317, 322, 323, 324, 325, 330, 339, 50838]
            at, packed = start, struct.pack(order + "H", rng.choice([*codes, 50839, 51123, 34665, 700, 34377, 65330]))
        case _:
            at, packed = start + 4 + struct.calcsize(count[1]), struct.pack(order + count[1], value & 2**32 - 1)
    content[at : at + len(packed)] = packed
    path.write_bytes(content)
    return path


def table(folder, rng):
    """A change of a CSV file's cells, columns or rows."""
    path = some(folder, rng, (".csv", ".tsv"))
    if path is None:
        return None
    sep = "\t" if path.suffix == ".tsv" else ","
    content = path.read_text(encoding="utf-8", errors="replace").replace("\0", "")
    lines = list(csv.reader(io.StringIO(content), delimiter=sep))
    if len(lines) < 2 or not lines[0]:
        return None
    lines = lines[:60] if rng.random() < 0.1 else lines
    row, column = rng.randrange(1, len(lines)), rng.randrange(len(lines[0]))
    cells = [*TEXTS, "1_000", '"', '"1', "1;2", "1e5000", "9" * 400, "-0", "1+2j", "2020-01-01", "=1+1", str(2**63)]
    match rng.choice(["cell"] * 5 + ["name", "remove", "double", "short", "long", "empty", "column", "many", "bytes"]):
        case "cell":
            for _ in range(rng.choice([1, 1, 3])):
                lines[row][column : column + 1] = [rng.choice(cells)]
        case "name":
            lines[0][column] = rng.choice([*TEXTS, *lines[0]])
        case "remove":
            lines = [line[:column] + line[column + 1 :] for line in lines]
        case "double":
            lines = [line[: column + 1] + line[column:] for line in lines]
        case "short":
            lines[row] = lines[row][:column]
        case "long":
            lines[row] = lines[row] * rng.choice([2, 50])
        case "empty":
            lines = lines[: rng.choice([0, 1])]
        case "column":
            cell = rng.choice(cells)
            lines = [lines[0], *([*line[:column], cell, *line[column + 1 :]] for line in lines[1:])]
        case "many":
            lines = lines[:1] + lines[1:] * rng.choice([2, 500])
        case _:
            end = rng.choice([b"\r", b"\0\n", b"\xff\xfe\n", b"\n\n\n", b" \n"])
            path.write_bytes(path.read_bytes().replace(b"\n", end))
            return path
    text = io.StringIO()
    csv.writer(text, delimiter=rng.choice([sep, sep, sep, ";", "\t"]), lineterminator="\n").writerows(lines)
    path.write_bytes(text.getvalue().encode("utf-8", "surrogatepass"))
    return path


def pickled_chunks(folder, rng):
    """A Zarr 2 array of objects, whose chunks are unpickled by who believes what it says."""
    if (path := some(folder, rng, (".zarray", "zarr.json"))) is None:
        return None
    shape = json.loads(path.read_text(encoding="utf-8")).get("shape", [1])
    about = {"zarr_format": 2, "shape": shape, "chunks": shape, "dtype": "|O", "compressor": None, "fill_value": None}
    about |= {"order": "C", "filters": [{"id": "pickle", "protocol": 5}]}
    if rng.random() < 0.5:
        path.unlink()
    path.with_name(".zarray").write_text(json.dumps(about), encoding="utf-8")
    for chunk in (p for p in path.parent.rglob("*") if p.is_file() and "." not in p.name.lstrip("0123456789.")):
        chunk.write_bytes(pickled(rng))
    return path


def lost_chunks(folder, rng):
    """All chunks of a store are gone, of one array or of all."""
    found = [p for p in folder.rglob("*") if p.is_dir() and p.name == "c"] or [
        p for p in folder.rglob("0") if p.is_dir()
    ]
    if not found:
        return None
    shutil.rmtree(rng.choice(found), ignore_errors=True)
    return found[0]


def declared(folder, rng):
    """A Zarr array that says to be large, with chunks as they were or as large as itself."""
    if (path := some(folder, rng, (".zarray", "zarr.json"))) is None:
        return None
    about = json.loads(path.read_text(encoding="utf-8"))
    shape = about["shape"]
    for axis in rng.sample(range(len(shape)), rng.randint(1, len(shape))):
        shape[axis] = rng.choice([0, 1, 2**10, 2**16, 2**20, 2**24, 2**31, 2**40, 2**62])
    if rng.random() < 0.4:
        if "chunks" in about:
            about["chunks"] = list(shape)
        else:
            about["chunk_grid"]["configuration"]["chunk_shape"] = list(shape)
    path.write_text(json.dumps(about), encoding="utf-8")
    return path


BYTES = [flip, flip, number, number, truncate, extend, cut_out, repeat, noise, text, text, remove, swap, link, more]
GROUPS = {
    "tiff": [tag] * 12,
    "xml": [xml] * 16,
    "json": [json_value] * 14 + [json_text] * 2,
    "zarr": [pickled_chunks, lost_chunks, declared, declared],
    "csv": [table] * 14,
    "torch": mutations_torch.ALL,
    "hdf5": mutations_hdf5.ALL,
    "parquet": mutations_parquet.ALL,
}


def mutate(folder, formats, rng):
    """Change what lies in a folder; returns names of the mutations, "what: file" each."""
    done = []
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        for _ in range(20):
            if not files(folder):
                break
            one = rng.choice([*BYTES, *(m for name in formats for m in GROUPS[name])])
            with contextlib.suppress(Exception):  # of a file that another mutation has damaged before
                path = None
                path = one(folder, rng)
            if path is not None:
                done.append((one.__name__, os.path.relpath(path, folder)))
                break
    return done


assert sys.getrecursionlimit() < 20_000  # as deep as some of the texts are
