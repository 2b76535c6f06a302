"""Model and checkpoint files: PyTorch's format, of which only tensors and plain values are ever unpickled.

A model of plain values alone, such as chosen settings, is JSON in a zip archive: who writes or reads it does not wait
for torch. So is the file that stands in the place of a model whose training raised.
"""

import json
import zipfile
from pathlib import Path

from blurbench.files import on_disk
from blurbench.files.atomic import replacing

PLAIN = "model.json"  # the one entry of an archive without tensors
NOT_TRAINED = "not_trained"  # key of the reason


class ModelError(ValueError):
    """A model or checkpoint file that cannot be read."""


def write(content: dict, path: str | Path) -> None:
    """Write a model or checkpoint file."""
    with replacing(path) as partial:
        if (text := _plain(content)) is not None:
            with zipfile.ZipFile(partial, "w") as archive:
                archive.writestr(zipfile.ZipInfo(PLAIN), text)  # without a date: the same model is the same file
            return
        import torch

        torch.save(content, partial)


def write_not_trained(about: dict, reason: str, path: str | Path) -> None:
    """Write in the place of a model why there is none; `about` is what it would have been: method, options, seed."""
    write({**about, NOT_TRAINED: reason}, path)


def why_not_trained(path: str | Path) -> str | None:
    """Why there is no model in a model file; None if there is one, which is not read, nor is torch waited for."""
    if not zipfile.is_zipfile(path):
        return None  # damaged: who reads it is told
    with zipfile.ZipFile(path) as archive:
        plain = PLAIN in archive.namelist()
    return read(path).get(NOT_TRAINED) if plain else None


def read(path: str | Path) -> dict:
    """Content of a model or checkpoint file, on the CPU.

    Raises ModelError if the file is empty, truncated, altered, or holds anything but tensors and plain values. Either
    format is a zip archive with a checksum for every entry, which torch itself does not compare.
    """
    if found := on_disk.odd(path):
        raise ModelError(f"{path}: found {found}, expected a model")
    try:
        with zipfile.ZipFile(path) as archive:
            # Entries lie as they are, so that none can unfold into more than the file holds.
            if sum(entry.file_size for entry in archive.infolist()) > Path(path).stat().st_size:
                raise ModelError("entries that declare more than the file holds")
            if broken := archive.testzip():
                raise ModelError(f"the entry {broken} is not what its checksum says")
            plain = archive.read(PLAIN) if PLAIN in archive.namelist() else None
        content = _with_tensors(path) if plain is None else json.loads(plain)
    except Exception as error:  # torch raises whatever the zip and pickle readers do
        raise ModelError(f"{path}: found no model that can be read ({_short(error)}), expected a whole one") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path}: found a {type(content).__name__}, expected a mapping")
    return content


def checksums(path: str | Path) -> list[int]:
    """Checksums of what a model file holds, entry by entry; as the file states them, so that nothing is read.

    Raises ModelError for a file that is no archive.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return [entry.CRC for entry in archive.infolist()]
    except zipfile.BadZipFile as error:
        raise ModelError(f"{path}: found no model that can be read ({_short(error)}), expected a whole one") from error


def _plain(content):
    """JSON of a content that it gives back as it is; None of any other."""
    try:
        text = json.dumps(content)
    except TypeError:
        return None
    return text if json.loads(text) == content else None


def _with_tensors(path):
    import torch

    content = torch.load(path, map_location="cpu", weights_only=True)
    for tensor in _leaves(content):
        if not isinstance(tensor, torch.Tensor):
            continue
        if tensor.layout is not torch.strided or tensor.is_quantized or tensor.device.type != "cpu":
            raise ModelError(f"a tensor of shape {tuple(tensor.shape)} that is sparse, quantised or without values")
        if tensor.nbytes > tensor.untyped_storage().nbytes():
            raise ModelError(f"a tensor of shape {tuple(tensor.shape)} that repeats what the file holds of it")
    return content


def _leaves(tree):
    if isinstance(tree, dict | list | tuple):
        for value in tree.values() if isinstance(tree, dict) else tree:
            yield from _leaves(value)
    else:
        yield tree


def _short(error):
    return f"{type(error).__name__}: {error}".partition("\n")[0].removesuffix(".")
