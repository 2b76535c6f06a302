"""A process that mutates files and reads them, within limits of memory and of what it may write.

It reads lines {"kind", "seed", "base", "work"} and answers each with two: the mutations, and what came of reading.
"""

import io
import json
import logging
import os
import random
import re
import resource
import shutil
import sys
import traceback
import warnings
from pathlib import Path

# Bytes that may be asked for beside what the libraries take. The header of a Blosc chunk asks for 2 GB at most, which
# are never touched; what is touched is judged by the test.
ROOM = 2**31 + 2**28
WRITTEN = 2**29  # bytes of one file
MEMORY = "unable to allocate|cannot allocate|memoryerror|out of memory|bad_alloc|malloc|not enough memory"
OWN = {"RecordingError", "DatasetError", "AnswerError", "ModelError", "ParquetError", "Hdf5Error", "FolderError"}
OWN |= {"MethodError", "CurveError", "Told"}


def main():
    asked, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):  # a file may lead there
        os.dup2(nothing, stream)
    sys.stderr = io.StringIO()
    warnings.simplefilter("ignore")
    logging.disable()
    from mutated.kinds import KINDS
    from mutated.mutations import mutate

    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + ROOM, size + ROOM))
    resource.setrlimit(resource.RLIMIT_FSIZE, (WRITTEN, WRITTEN))

    def say(content):
        answers.write(json.dumps(content) + "\n")
        answers.flush()

    say("ready")
    for line in asked:
        order = json.loads(line)
        kind, work = KINDS[order["kind"]], Path(order["work"])
        folder, out = work / "in", work / "out"
        shutil.copytree(Path(order["base"]) / order["kind"], folder)
        out.mkdir()
        done = []
        if order["seed"] is not None:
            done = mutate(folder, kind.formats, random.Random(f"{order['kind']} {order['seed']}"))
        say(done)
        say([*outcome(kind.read, folder, out), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024])


def outcome(read, folder, out):
    """("read" or "told", ""), or what is wrong and all that is known of it."""
    try:
        read(folder, out)
        return "read", ""
    except Exception as error:
        message = f"{type(error).__name__}: {error}"
        if re.search(MEMORY, message, re.I) or isinstance(error, MemoryError):
            return "memory", f"{message}\n{traceback.format_exc()}"
        if type(error).__name__ not in OWN:
            return "raised", traceback.format_exc()
        if str(folder.parent) not in message:
            return "without a file", message
        return "told", message


if __name__ == "__main__":
    main()
