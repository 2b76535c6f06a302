"""Share of the time in which a GPU runs anything, as `nvidia-smi` tells it."""

import shutil
import subprocess
import threading
import time

import torch

PERIOD = 0.2  # s between two questions; the answer is of the last fraction of a second, up to a whole one


class Utilisation:
    """Asks again and again while its `with` block runs; asks nothing where there is no GPU or no nvidia-smi."""

    def __init__(self, device):
        self.samples, self.over = [], threading.Event()
        self.thread = None
        if device.type == "cuda" and shutil.which("nvidia-smi"):
            # Not by its number, which counts other GPUs where only some are visible.
            uuid = str(torch.cuda.get_device_properties(device).uuid).removeprefix("GPU-")
            command = ["nvidia-smi", f"--id=GPU-{uuid}", "--query-gpu=utilization.gpu"]
            self.thread = threading.Thread(target=self._ask, args=([*command, "--format=csv,noheader,nounits"],))

    def __enter__(self):
        if self.thread:
            self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        if self.thread:
            self.thread.join()

    def between(self, start, stop):
        """Mean share from one moment to another (`time.monotonic`), None if nothing is known of it."""
        shares = [share for moment, share in self.samples if start <= moment <= stop]
        return sum(shares) / len(shares) if shares else None

    def _ask(self, command):
        while not self.over.wait(PERIOD):
            told = subprocess.run(command, capture_output=True, text=True)
            if not told.stdout.strip().isdigit():
                return  # not told here: a part of a GPU, or a driver that does not say
            self.samples.append((time.monotonic(), int(told.stdout) / 100))
