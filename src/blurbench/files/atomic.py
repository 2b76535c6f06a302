"""Files and folders that appear whole or not at all, also where two processes write the same one.

They do where a workflow was killed whose job a cluster still runs, beside the job of the workflow started after it.
"""

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ABANDONED_S = 86400  # s after which what a killed process left is nobody's any more; no job here writes for so long


@contextlib.contextmanager
def replacing(*paths: str | Path) -> Iterator[Any]:
    """Names to write files or folders to, which nobody else has; once all are whole they take the names wanted.

    Where the block raises, what it wrote is removed, and what had the names wanted stays. One path gives one name,
    several a list. What a process left that was killed goes when the same name is written a day later.
    """
    wanted = [Path(path) for path in paths]
    partial = [path.with_name(f"{path.name}.partial-{secrets.token_hex(4)}") for path in wanted]
    for path in wanted:
        for left in path.parent.glob(f"{path.name}.partial-*"):
            with contextlib.suppress(FileNotFoundError):  # its writer has just ended
                if time.time() - left.stat().st_mtime > ABANDONED_S:
                    _remove(left)
    try:
        yield partial[0] if len(partial) == 1 else partial
        for temporary, path in zip(partial, wanted):
            if path.is_dir():
                shutil.rmtree(path)  # no folder takes the place of one that holds something
            os.replace(temporary, path)
    finally:
        for temporary in partial:
            _remove(temporary)


def _remove(path):
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
