"""A training that raises: it is told in the place of its model, so that the rest of a run goes on without it.

What is no matter of the method, but of memory, files or a device, is raised on: its job fails, and is tried again with
more memory, or elsewhere. So does that of a training that is killed, which raises nothing.
"""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from blurbench.files import models
from blurbench.files.datasets import DatasetError

CURVE = "items,seconds,core_s,train_loss,validation_loss\n"  # of a training of which nothing is known
TORCH_ERRORS = ("OutOfMemoryError", "AcceleratorError")
TORCH_SAYS = ("can't allocate memory", "CUDA error", "CUBLAS_STATUS", "cuDNN error")  # in a mere RuntimeError


@contextmanager
def told(
    about: dict[str, Any], model: str | Path, curve: str | Path, checkpoint: str | Path, history: str | Path
) -> Iterator[None]:
    """Train in this block; where that raises, the model file says why there is no model, and the curve has no row.

    The checkpoint goes, as what it holds may be why: a training that is tried again begins anew.

    Parameters
    ----------
    about : of the training: method, options, seed
    model, curve, checkpoint : paths, as `training.fit` takes them
    history : path of a text with a line for each time that this training raised, to which one is added

    Raises
    ------
    what is raised in the block and is no matter of the method.
    """
    try:
        yield
    except Exception as error:
        if _of_the_machine(error):
            raise
        traceback.print_exc()
        reason = f"{type(error).__name__}: {error}".partition("\n")[0].removesuffix(": ")
        Path(history).parent.mkdir(parents=True, exist_ok=True)
        with open(history, "a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {reason}\n")
        Path(checkpoint).unlink(missing_ok=True)
        Path(curve).write_text(CURVE, encoding="utf-8")
        models.write_not_trained(about, reason, model)


def _of_the_machine(error):
    """Whether memory, a file or a device is what failed."""
    torch: Any = sys.modules.get("torch")  # without it nothing of its kind was raised
    of_torch = tuple(getattr(torch, name) for name in TORCH_ERRORS if hasattr(torch, name))
    if isinstance(error, (MemoryError, OSError, DatasetError, *of_torch)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in TORCH_SAYS)
