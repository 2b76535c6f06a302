"""What one GPU has to show, within a budget of minutes; without Snakemake, with the library alone.

    PYTHONPATH=src python tests/benchmarks/gpu --minutes 9

Three kinds of pieces, the most valuable first: do CPU and GPU agree (agreement.py), how fast is each training, and how
busy does it keep the GPU (throughput.py), the trainings themselves (trainings.py). docs/performance.md says more.
"""

import argparse
import sys
from pathlib import Path

from library import lacking

sys.path.append(str(Path(__file__).parents[1]))  # trainings.py, which other benchmarks take too


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=9, help="the budget (default: 9)")
    parser.add_argument(
        "--config",
        type=Path,
        help="layer over config/config.yaml whose numbers of items are taken as they are; without one they are cut to "
        "what fits the minutes, and a machine without a GPU rehearses with config/smoke.yaml",
    )
    parser.add_argument("--out", type=Path, default=Path("results/gpu"), help="folder to write (default: results/gpu)")
    given = parser.parse_args()
    if missing := lacking():
        sys.exit(f"Packages that the library imports are missing: {', '.join(missing)}. Install them and run again.")

    from session import run  # which imports them

    sys.exit(run(given.minutes, given.config, given.out))


if __name__ == "__main__":
    main()
