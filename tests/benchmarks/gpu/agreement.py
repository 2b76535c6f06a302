"""Do a network's answers agree on the CPU and on the GPU? Of every network of every problem, on its tiny dataset.

Each is trained for a few steps on the device and then asked for the test split on both. Compared is what the network
itself answers, before positions or intervals are read from it: these may jump where it hardly changes.
"""

import math
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

from blurbench.files import models
from blurbench.files.datasets import Dataset
from blurbench.learning.training import fit
from blurbench.planning import catalogue
from blurbench.running import methods
from blurbench.running.simulation import simulate

WIDTH = 16  # of the networks that have such an option
ITEMS = {"train": 4, "validation": 2, "test": 1}  # of the splits; in test, of each setting of its grid
BUDGET = {"epochs": 2, "batch_size": 8, "validations": 2}
# Relative errors of a layer. bfloat16: of rounding what it multiplies, which is added in float32. float32: of the sums,
# whose terms two devices add in other orders; as many errors of 2^-24 as a layer adds terms, up to 4096 here.
ROUNDING = {"bfloat16": 2.0**-8, "float32": 2.0**-24 * 64}
SAFETY = 4


class Answers(NamedTuple):
    """What networks answered, call after call, and how many layers with weights the deepest of them has."""

    tensors: list
    layers: list


def compare(problem, name, tiny, folder, device, precision, clock):
    """How far the answers of one network on the CPU and on the device are apart, and how far they may be.

    Parameters
    ----------
    tiny : the problem's tiny dataset, as an expanded configuration states it
    folder : of the problem, where its datasets and models lie
    precision : float32 or bfloat16, of both
    """
    stores = _simulated(problem, tiny, folder / "tiny")
    options = {key: WIDTH for key in catalogue.describe(problem, name).options if key == "width"}
    model, curve, checkpoint = (folder / f"{name}.{suffix}" for suffix in ("pt", "csv", "checkpoint"))
    with clock.watching():
        splits = stores["train"], stores["validation"]
        budget = {**BUDGET, "precision": precision}
        fit(problem, name, options, budget, *splits, 1, device.type, 1, model, curve, checkpoint)
    instance, dataset = methods.load(problem, name, options), Dataset.open(stores["test"]).blind()
    answers = []
    for where in (torch.device("cpu"), device):
        with _listening() as heard:
            list(instance.predict(dataset, models.read(model), where.type))  # a list, as images are made one by one
        answers.append(heard)
    return {**difference(*answers, ROUNDING[precision]), "precision": precision}


def difference(one, other, rounding):
    """Largest difference of two `Answers` over their RMS, and the tolerance.

    The errors of layers add up like the steps of a random walk: `rounding` times the square root of the number of
    layers is the size of an error. SAFETY times that is allowed, for the largest of the 10⁵ values of a volume; on one
    CPU, bfloat16 and float32 differ by up to half of it.
    """
    shapes, others = ([tuple(t.shape) for t in answers.tensors] for answers in (one, other))
    if not shapes or shapes != others:
        raise ValueError(f"networks answered arrays of {shapes} on the CPU and {others} on the device")
    rms = math.sqrt(sum(float(t.square().sum()) for t in one.tensors) / sum(t.numel() for t in one.tensors))
    largest = max(float((a - b).abs().max()) for a, b in zip(one.tensors, other.tensors)) / rms
    tolerance = SAFETY * rounding * math.sqrt(max(one.layers))
    return {"difference": largest, "tolerance": tolerance, "agree": largest <= tolerance, "layers": max(one.layers)}


@contextmanager
def _listening():
    """Answers of the outermost modules that are called meanwhile."""
    heard, depth = Answers([], []), 0

    def enter(*_):
        nonlocal depth
        depth += 1

    def leave(module, _, answer):
        nonlocal depth
        depth -= 1
        if not depth:
            heard.tensors.append(answer.detach().double().cpu())
            heard.layers.append(sum(p.ndim > 1 for p in module.parameters()))

    hooks = register_module_forward_pre_hook(enter), register_module_forward_hook(leave)
    try:
        yield heard
    finally:
        for hook in hooks:
            hook.remove()


def _simulated(problem, tiny, folder):
    """Stores of the splits of a tiny dataset, of ITEMS."""
    tiny, stores = {**tiny, "items": ITEMS}, {split: folder / f"{split}.zarr" for split in ITEMS}
    folder.mkdir(parents=True, exist_ok=True)
    for split, store in stores.items():
        if not store.with_suffix(".json").exists():
            simulate(problem, "tiny", split, tiny, 1, store, store.with_suffix(".json"))
    return stores
