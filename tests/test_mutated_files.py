"""Whatever is done to a file of somebody else, it is read or refused in a sentence that names it.

Never a traceback, a hang, or memory above 2 GB, and nothing in it is run. Small valid files of every kind that the
library reads are mutated (`mutated.mutations`: bytes, tags, XML, JSON, chunks, tables, links, pickles) and read in a
process with limits (`mutated.child`).

`MUTATED_FILES=5000 pytest tests/test_mutated_files.py` tries more of them, all kinds together.
`MUTATED_FILE=cells:17 pytest tests/test_mutated_files.py -k alone` repeats one; a failure says which, and keeps it.
"""

import math
import os
import shutil
import sys
from pathlib import Path

import pytest
from mutated.evil import MARK
from mutated.kinds import KINDS
from mutated.pool import Child

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is limited by Linux")
EACH = math.ceil(int(os.environ.get("MUTATED_FILES", "1500")) / len(KINDS))
ALONE = os.environ.get("MUTATED_FILE")
LIMIT_MB = 2000
SHOWN = 5  # failures of a kind


@pytest.fixture(scope="module")
def child():
    """The process that reads, and what has not ended it goes on with."""
    one = Child()
    yield one
    one.stop()


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A folder with a folder of whole files for each kind."""
    folder = tmp_path_factory.mktemp("whole")
    for name, kind in KINDS.items():
        (folder / name).mkdir()
        kind.write(folder / name)
    return folder


def fault(child, kind, seed, base, folder):
    """What is wrong with how a mutated file is read, in a text that says where it is kept; None if nothing is."""
    mark, work = Path(MARK), folder / "case"
    mark.unlink(missing_ok=True)
    done, found, about, most_mb = child.read(kind, seed, base, work)
    if mark.exists():
        found = "code in it was run"
    elif most_mb > LIMIT_MB:
        found = f"{most_mb} MB of memory"
        child.stop()  # else all that follow would be blamed
    elif done is None or found in ("read", "told"):  # None: its mutation did not end
        return None
    kept = folder / f"{kind}_{seed}"
    shutil.rmtree(kept, ignore_errors=True)
    shutil.move(work, kept)
    what = ", ".join(f"{name} of {file}" for name, file in done or [])
    return f"MUTATED_FILE={kind}:{seed}: {found} ({what}; kept as {kept})\n{about}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_mutated_file_is_read_or_refused_in_a_sentence(kind, child, base, tmp_path):
    _, found, about, _ = child.read(kind, None, base, tmp_path / "case")
    assert found == "read", about  # as it is, it is right
    faults = (fault(child, kind, seed, base, tmp_path) for seed in range(EACH))
    faults = [one for one in faults if one]
    assert not faults, f"{len(faults)} of {EACH} {kind}:\n" + "\n".join(faults[:SHOWN])


@pytest.mark.skipif(not ALONE, reason="MUTATED_FILE names none")
def test_one_alone(child, base, tmp_path):
    kind, _, seed = (ALONE or "").partition(":")
    found = fault(child, kind, int(seed), base, tmp_path)
    assert not found, found
