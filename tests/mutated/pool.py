"""Processes that read mutated files; one that crashes or hangs is replaced, and what it read is a failure."""

import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

LIMIT_S = 60  # of one file, which takes some hundredths of a second, on a machine that does other work too
START_S = 120
TESTS = Path(__file__).parents[1]


class Hang(Exception):
    """No answer in time, or none at all."""


class Child:
    """One such process, started when it is needed."""

    def __init__(self):
        self.process, self.said = None, b""

    def start(self):
        path = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
        alone = {"OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2", "PYTHONPATH": path}  # memory is counted in addresses
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        command = [sys.executable, "-X", "faulthandler", "-m", "mutated.child"]
        self.process, self.said = subprocess.Popen(command, env={**os.environ, **alone}, bufsize=0, **pipes), b""
        assert self._line(START_S) == "ready"

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def read(self, kind, seed, base, work):
        """(mutations, what came of it, what is known of it, MB at most so far)."""
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        if self.process is None:
            self.start()
        done = None
        try:
            order = {"kind": kind, "seed": seed, "base": str(base), "work": str(work)}
            self.process.stdin.write(json.dumps(order).encode() + b"\n")
            self.process.stdin.flush()
            done = self._line(LIMIT_S)
            return (done, *self._line(LIMIT_S))
        except (Hang, BrokenPipeError) as error:
            self.stop()
            return done, str(error), "", 0

    def _line(self, limit):
        stop = time.monotonic() + limit
        while b"\n" not in self.said:
            ready, _, _ = select.select([self.process.stdout], [], [], max(stop - time.monotonic(), 0))
            if not ready:
                raise Hang(f"no answer in {limit} s")
            if not (more := self.process.stdout.read(2**16)):
                raise Hang(f"it ended with {self.process.wait()}")
            self.said += more
        line, _, self.said = self.said.partition(b"\n")
        return json.loads(line)
