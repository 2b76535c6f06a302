"""Model and checkpoint files: PyTorch's format, of which only tensors and plain values are ever unpickled."""

import torch


class ModelError(ValueError):
    """A model or checkpoint file that cannot be read."""


def read(path) -> dict:
    """Content of a model or checkpoint file, on the CPU.

    Raises ModelError if the file is empty, truncated or holds anything but tensors and plain values.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever the zip and pickle readers do
        raise ModelError(f"{path}: no model that can be read ({type(error).__name__}: {error})") from error
