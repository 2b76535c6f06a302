"""What a job says: everything into its log file, and a progress bar on a terminal."""

import logging
import os
import sys
import traceback
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from tqdm import tqdm

SPARSE = 0.1  # share of the work between two lines of a log file


@contextmanager
def logged(path, threads=1):
    """Send all that a job prints, logs or warns to a file, its traceback included, and keep it to its threads.

    The libraries read their number of threads when they are loaded: import them inside the block.

    Parameters
    ----------
    path : str or Path
    threads : int
    """
    for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "NUMBA", "VECLIB_MAXIMUM"):
        os.environ[f"{library}_NUM_THREADS"] = str(threads)
    os.environ["LOKY_MAX_CPU_COUNT"] = str(threads)  # processes that joblib takes where it may take all
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8", buffering=1) as log, redirect_stdout(log), redirect_stderr(log):
        logging.basicConfig(stream=log, level=logging.INFO, format="%(asctime)s %(name)s %(message)s", force=True)
        logging.captureWarnings(True)
        try:
            yield
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            logging.captureWarnings(False)


def progress(work, desc, total=None):
    """Bar over an iterable, or over `work` steps where it is a number (then call `update`).

    On a terminal it is tqdm's bar; in a log file it is a line at the start and after every tenth of the work.

    Returns
    -------
    tqdm; iterate over it or use it in a `with` block.
    """
    steps = work if isinstance(work, int) else total
    iterable = None if isinstance(work, int) else work
    if sys.__stderr__ is not None and sys.__stderr__.isatty():
        return tqdm(iterable, desc=desc, total=steps, file=sys.__stderr__, leave=False, dynamic_ncols=True)
    total = steps if steps is not None else len(work) if hasattr(work, "__len__") else None
    stride = max(1, int(total * SPARSE)) if total else 1000
    return _Lines(
        iterable,
        desc=desc,
        total=total,
        file=sys.stderr,
        miniters=stride,
        mininterval=0,
        maxinterval=float("inf"),
        ascii=True,
    )


class _Lines(tqdm):
    """tqdm that writes a line for each state, and none twice."""

    disable: bool

    @staticmethod
    def status_printer(file):
        last = ""

        def write(text):
            nonlocal last
            if text.strip() not in ("", last):
                last = text.strip()
                file.write(f"{last}\n")

        return write

    def moveto(self, n):
        """Lines follow each other: no cursor goes up or down."""

    def close(self):
        if not self.disable:
            self.refresh()
            self.disable = True  # else tqdm would end the bar with a line of its own
