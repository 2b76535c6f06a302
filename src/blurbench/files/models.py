"""Model and checkpoint files: PyTorch's format, of which only tensors and plain values are ever unpickled."""

import zipfile
from pathlib import Path

import torch

from blurbench.files.atomic import replacing


class ModelError(ValueError):
    """A model or checkpoint file that cannot be read."""


def write(content: dict, path: str | Path) -> None:
    """Write a model or checkpoint file."""
    with replacing(path) as partial:
        torch.save(content, partial)


def read(path: str | Path) -> dict:
    """Content of a model or checkpoint file, on the CPU.

    Raises ModelError if the file is empty, truncated, altered, or holds anything but tensors and plain values. The
    format is a zip archive with a checksum for every entry, which torch itself does not compare.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            # Entries lie as they are, so that none can unfold into more than the file holds.
            if sum(entry.file_size for entry in archive.infolist()) > Path(path).stat().st_size:
                raise ModelError("entries that declare more than the file holds")
            if broken := archive.testzip():
                raise ModelError(f"the entry {broken} is not what its checksum says")
        content = torch.load(path, map_location="cpu", weights_only=True)
        for tensor in _tensors(content):
            if tensor.nbytes > tensor.untyped_storage().nbytes():
                raise ModelError(f"a tensor of shape {tuple(tensor.shape)} that repeats what the file holds of it")
    except Exception as error:  # torch raises whatever the zip and pickle readers do
        raise ModelError(f"{path}: found no model that can be read ({_short(error)}), expected a whole one") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path}: found a {type(content).__name__}, expected a mapping")
    return content


def _tensors(tree):
    if isinstance(tree, torch.Tensor):
        yield tree
    elif isinstance(tree, dict | list | tuple):
        for value in tree.values() if isinstance(tree, dict) else tree:
            yield from _tensors(value)


def _short(error):
    return f"{type(error).__name__}: {error}".partition("\n")[0].removesuffix(".")
