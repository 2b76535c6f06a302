"""Mutations of model files: the archive, the pickle in it, and tensors that are not what they say."""

import io
import json
import zipfile

import torch
from mutated.evil import pickled


def _archive(folder, rng):
    found = sorted(folder.glob("*.pt"))
    path = rng.choice(found) if found else None
    if path is None or not path.is_file() or not zipfile.is_zipfile(path):
        return None, {}
    with zipfile.ZipFile(path) as archive:
        return path, {name: archive.read(name) for name in archive.namelist()}


def _write(path, entries, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content)


def entry(folder, rng):
    """Bytes of an entry, whose checksum is then right again."""
    path, entries = _archive(folder, rng)
    if path is None:
        return None
    name = rng.choice(sorted(entries))
    content = bytearray(entries[name])
    match rng.choice(["flip", "cut", "more", "empty", "noise"]):
        case "flip" if content:
            for _ in range(rng.choice([1, 3, 10])):
                content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        case "cut":
            content = content[: rng.randrange(len(content) + 1)]
        case "more":
            content += rng.randbytes(40)
        case "empty":
            content = b""
        case _:
            content = rng.randbytes(len(content))
    _write(path, {**entries, name: bytes(content)}.items())
    return path


def names(folder, rng):
    """An entry that is lost, twice there, or called otherwise."""
    path, entries = _archive(folder, rng)
    if path is None:
        return None
    name = rng.choice(sorted(entries))
    found = list(entries.items())
    match rng.choice(["lose", "twice", "rename", "both"]):
        case "lose":
            del entries[name]
            found = list(entries.items())
        case "twice":
            found.append((name, pickled(rng)))
        case "rename":
            other = rng.choice(["../up", "/tmp/up", "", "model.json", name + "x"])
            found = [(other if n == name else n, c) for n, c in found]
        case _:
            found.append(("model.json", b'{"options": {}}'))
    _write(path, found)
    return path


def packed(folder, rng):
    """Entries that unfold: compressed, and much larger than they lie there."""
    path, entries = _archive(folder, rng)
    if path is None:
        return None
    name = rng.choice(sorted(entries))
    entries[name] = rng.choice([entries[name], bytes(50_000_000), b"[" * 5_000_000])
    _write(path, entries.items(), rng.choice([zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]))
    return path


def code(folder, rng):
    """A pickle that runs something: in the archive, or alone as old files of torch were."""
    path, entries = _archive(folder, rng)
    if path is None:
        return None
    match rng.choice(["in", "in", "alone", "old", "tensor"]):
        case "in":
            inside = next((name for name in entries if name.endswith("data.pkl")), "archive/data.pkl")
            _write(path, {**entries, inside: pickled(rng)}.items())
        case "alone":
            path.write_bytes(pickled(rng))
        case "old":
            content = io.BytesIO()
            torch.save({"network": torch.ones(3)}, content, _use_new_zipfile_serialization=False)
            path.write_bytes(content.getvalue() + pickled(rng))
        case _:
            name = next((name for name in entries if name.endswith("data.pkl")), None)
            if name is None:
                return None
            other = rng.choice(
                [b"cos\nsystem", b"cbuiltins\neval", b"ctorch.hub\nload", b"ctorch._utils\n_element_size"]
            )
            changed = entries[name].replace(b"ctorch._utils\n_rebuild_tensor_v2", other)
            _write(path, {**entries, name: changed}.items())
    return path


def _deep(n):
    inner = 1
    for _ in range(n):
        inner = [inner]
    return inner


def tensors(folder, rng):
    """Tensors that repeat, lie elsewhere or nowhere, are of other kinds or not finite; values of other types."""
    found = sorted(folder.glob("*.pt"))
    if not found or not found[0].is_file():
        return None
    try:
        content = torch.load(found[0], weights_only=True)
    except Exception:  # a model of plain values, or one that is damaged
        content = {"method": "ours", "options": {"width": 8}, "seed": 1, "precision": "float32", "spec": {}}
    ways = {
        "zero strides": lambda: torch.ones(1).expand(2**20, 2**12),
        "huge": lambda: torch.as_strided(torch.ones(4), (2**31, 2**20), (0, 0)),
        "overlap": lambda: torch.as_strided(torch.ones(1000), (900, 101), (1, 1)),
        "nowhere": lambda: torch.empty(2**40, device="meta"),
        "sparse": lambda: torch.sparse_coo_tensor(torch.tensor([[0], [0]]), torch.ones(1), (2**30, 2**30)),
        "csr": lambda: torch.sparse_csr_tensor([0, 1], [0], torch.ones(1), (1, 2**40)),
        "quantised": lambda: torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.quint8),
        "complex": lambda: torch.ones(3, dtype=torch.complex64),
        "nan": lambda: torch.tensor([float("nan")]),
        "empty": lambda: torch.empty(0),
        "scalar": lambda: torch.tensor(1),
        "parameter": lambda: torch.nn.Parameter(torch.ones(1).expand(2**30)),
        "deep": lambda: _deep(rng.choice([200, 900])),
        "text": lambda: "word",
        "nothing": lambda: None,
        "list": lambda: [1, 2],
        "bytes": lambda: b"x",
        "complex number": lambda: 1j,
        "set": lambda: {1, 2},
        "huge number": lambda: 10**400,
    }
    key = rng.choice([*content, "network", "options"]) if isinstance(content, dict) else "network"
    name = rng.choice(sorted(ways))
    value = ways[name]()
    changed = dict(content) if isinstance(content, dict) else {}
    match rng.choice(["key", "key", "within", "whole", "lose"]):
        case "key":
            changed[key] = value
        case "within" if isinstance(changed.get("network"), dict):
            changed["network"] = {**changed["network"], "0.weight": value}
        case "whole":
            changed = value
        case _:
            changed.pop(key, None)
    content = io.BytesIO()
    torch.save(changed, content)
    found[0].write_bytes(content.getvalue())
    return found[0]


def plain(folder, rng):
    """Other plain values than a model's."""
    path, entries = _archive(folder, rng)
    if path is None or "model.json" not in entries:
        return None
    about = json.loads(entries["model.json"])
    if isinstance(about, dict) and about and rng.random() < 0.7:
        key = rng.choice(sorted(about))
        values = [None, [], {}, "word", 1e400, -1, {"word": 1}, {"width": "word"}, [[]], {"width": None}]
        about[key] = rng.choice(values)
        text = json.dumps(about)
    else:
        texts = ["[]", "null", "[" * 100_000, "{", "1" * 10_000, "\ufeff{}", '{"a": 1, "a": 2}', '{"options": "x"}']
        text = rng.choice(texts)
    _write(path, [("model.json", text.encode())])
    return path


ALL = [entry] * 4 + [names] * 2 + [packed] * 2 + [code] * 4 + [tensors] * 6 + [plain] * 3
