"""How many items a second a training takes in, how long its steps wait for their batches, how busy it keeps the GPU.

Networks, batches and images are those of the configuration; the items are one batch, prepared once and held in memory:
what is measured is the path from there through the step. The trainings themselves (trainings.py) read a store.
"""

import json
import time
from functools import lru_cache

import numpy as np
import pandas as pd
import torch
from utilisation import Utilisation

from blurbench import problems
from blurbench.files.datasets import Dataset
from blurbench.learning.budget import Budget
from blurbench.planning import units
from blurbench.running import methods

SHARE = 1 / 150  # of the minutes that the measured steps of one training take: 3.6 s of nine minutes
TRIED = 4  # steps before, which load libraries and tell how long a step takes
FEWEST, MOST = 4, 4000  # measured steps


def measure(config, training, device, threads, clock):
    """Speed of one training, in the second half of the steps that it is given here.

    Returns
    -------
    dict: items_per_s, step_s, batch_size, epochs; waiting, share of the time in which steps waited for their batches;
    busy, share of it in which the GPU ran anything, None where that is not told; gpu_mb, most memory allocated there;
    simulated_per_s, items that one core simulates a second
    """
    entry = training.entry(config)
    batch = entry["budget"].get("batch_size", Budget.batch_size)
    made = {split: _in_memory(config, training, split, n) for split, n in (("train", batch), ("validation", 1))}
    splits = {split: dataset for split, (dataset, _) in made.items()}

    def trained(steps):
        """Learning curve, of a point after each half of the steps, and busy share of the second half."""
        changes = {"epochs": steps, "batch_size": batch, "validations": 2, "patience": 99}  # an epoch is one batch
        budget = Budget(**{**entry["budget"], **changes}, threads=threads)
        instance = methods.load(training.problem, entry["method"], entry["options"])
        with Utilisation(device) as utilisation, clock.watching() as moments:
            curve = instance.fit(splits, budget, device, training.seed)[1]
        return curve, utilisation.between(moments[steps // 2 - 1], moments[-1])

    seconds = trained(TRIED)[0]["seconds"].diff().iloc[-1] / (TRIED // 2)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    steps = 2 * int(np.clip(clock.seconds * SHARE / seconds, FEWEST, MOST) / 2)
    curve, busy = trained(steps)
    half = curve.diff().iloc[-1]
    return {
        "items_per_s": half["items"] / half["seconds"],
        "step_s": half["seconds"] / (steps // 2),
        "batch_size": batch,
        "epochs": entry["budget"].get("epochs", Budget.epochs),
        "waiting": half["seconds_waited"] / half["seconds"],
        "busy": busy,
        "gpu_mb": torch.cuda.max_memory_allocated() / 1e6 if device.type == "cuda" else None,
        "simulated_per_s": made["train"][1],
    }


def _in_memory(config, training, split, n):
    """Dataset of n items of a split, and how many of them were simulated a second."""
    spec = {**units.spec(config, training.problem, training.dataset, split), "items": {split: n}}
    return _simulated(training.problem, training.dataset, split, json.dumps(spec), config["seed"])


@lru_cache(maxsize=2)  # the trainings on one dataset follow each other
def _simulated(problem, name, split, spec, seed):
    spec, simulate = json.loads(spec), problems.find(problem, "simulate.dataset")
    list(simulate({**spec, "items": {split: 1}}, split, seed).shards)  # compiles
    start = time.monotonic()
    made = simulate(spec, split, seed)
    images, items, truth = zip(*((images.copy(), items, _copies(truth)) for images, items, truth in made.shards))
    rate = made.items / (time.monotonic() - start)
    attrs = {"problem": problem, "dataset": name, "split": split, "seed": seed, **made.header, "spec": spec}
    truth = {key: np.concatenate([part[key] for part in truth]) for key in truth[0]}
    return Dataset(attrs, np.concatenate(images), pd.concat(items, ignore_index=True), truth), rate


def _copies(arrays):
    return {key: array.copy() for key, array in arrays.items()}  # the next shard may overwrite them
