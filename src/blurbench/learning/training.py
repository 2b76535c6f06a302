"""The training loop of all problems: warm-up and cosine, early stop, checkpoints that survive a retried job.

The optimiser is AdamW unless a method names another. A learned method hands it a network, batches in memory and a loss;
everything that the loop needs to go on after an interruption is in its checkpoint, so a resumed run ends with the
weights of an undisturbed one.
"""

import copy
import hashlib
import json
import logging
import math
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from blurbench.files import models
from blurbench.files.datasets import Dataset
from blurbench.files.logs import progress
from blurbench.learning import batches
from blurbench.learning.budget import Budget
from blurbench.planning import sources
from blurbench.running import methods

log = logging.getLogger(__name__)


def adamw(groups, learning_rate):
    """The usual optimiser."""
    import torch

    return torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.98))


def train(network, batch, n_train, block, loss, validate, budget: Budget, seed: int, device, optimiser=adamw):
    """Train a network in place; it ends with the weights of its best validation.

    Parameters
    ----------
    network : torch.nn.Module
    batch : function (indices, numpy Generator) -> what `loss` takes; augments, and draws from that generator alone: on
        a GPU it is called ahead, in a thread of its own
    n_train : number of training items
    block : items that lie together on disk; the order of blocks and that within each is shuffled, no further, so that a
        method may hold two blocks at a time in memory
    loss : function (network, batch) -> scalar tensor
    validate : function (network) -> dict of floats with `validation_loss`
    budget, seed, device
    optimiser : function (parameter groups with their weight decay, learning rate) -> torch.optim.Optimizer

    Returns
    -------
    DataFrame, the learning curve: items, seconds and core_s since the training began, seconds_waited (those in which
    steps waited for their batches), train_loss, validation_loss and what else `validate` gives, learning_rate
    """
    import torch  # slow to import, and a choice of settings does without

    torch.set_num_threads(budget.threads)
    steps, size = budget.steps(n_train), min(budget.batch_size, n_train)
    every = max(1, steps // budget.validations)
    decayed = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": budget.weight_decay}, {"params": others, "weight_decay": 0.0}]
    optimiser = optimiser(groups, budget.learning_rate)
    rate = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, steps, budget.warmup))
    state: dict[str, Any] = {"step": 0, "best": math.inf, "stale": 0, "curve": [], "weights": None}
    state |= {"cost": {}, "waited": 0.0}
    state |= _resume(budget, network, optimiser, rate)
    budget.cost.add(state["cost"])
    waited, running, counted = state["waited"], 0.0, 0
    ended = state["stale"] >= budget.patience  # stopped early, and interrupted before its model was written
    left = range(state["step"], state["step"] if ended else steps)

    def made(step):
        rng = np.random.default_rng([seed, step])  # of the step, so that a resumed run draws what it would have drawn
        epoch, first = divmod(step * size, n_train)
        index = _order(seed, epoch, n_train, block).take(np.arange(first, first + size), mode="wrap")
        return batch(index, rng)

    bar = progress(left, "train", total=len(left))
    with batches.in_order(made, left, ahead=device.type == "cuda") as ready:
        for step in bar:
            network.train()
            torch.manual_seed(seed * 1_000_003 + step)
            asked = time.perf_counter()
            given = next(ready)
            waited += time.perf_counter() - asked
            value = loss(network, given)
            optimiser.zero_grad(set_to_none=True)
            value.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            rate.step()
            running, counted = running + float(value.detach()), counted + 1
            if (step + 1) % every and step + 1 < steps:
                continue
            network.eval()
            with torch.inference_mode():
                measured = validate(network)
            state |= {"cost": budget.cost.spent(), "waited": waited}
            point = {"items": (step + 1) * size, **state["cost"], "seconds_waited": waited}
            point |= {"train_loss": running / counted, **measured, "learning_rate": rate.get_last_lr()[0]}
            state["curve"].append(point)
            bar.set_postfix(train=f"{running / counted:.3f}", validation=f"{measured['validation_loss']:.3f}")
            running, counted = 0.0, 0
            state["stale"] += 1
            if measured["validation_loss"] < state["best"]:
                weights = copy.deepcopy(network.state_dict())
                state |= {"best": measured["validation_loss"], "stale": 0, "weights": weights}
            state["step"] = step + 1
            _save(budget, state, network, optimiser, rate)
            if state["stale"] >= budget.patience:
                break
    if state["weights"] is not None:
        network.load_state_dict(state["weights"])
    network.eval()
    return pd.DataFrame(state["curve"])


def _rate(step, steps, warmup):
    """Share of the learning rate: a linear rise, then half a cosine down to 0."""
    rise = max(1, int(warmup * steps))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


@lru_cache(maxsize=2)
def _order(seed, epoch, n, block):
    """Order of the items of one epoch: blocks shuffled, and the items within each."""
    rng = np.random.default_rng([seed, epoch, n])
    blocks = [np.arange(first, min(first + block, n)) for first in range(0, n, block)]
    return np.concatenate([rng.permutation(blocks[i]) for i in rng.permutation(len(blocks))])


def _save(budget, state, network, optimiser, rate):
    if budget.checkpoint is None:
        return
    budget.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    now = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "rate": rate.state_dict()}
    models.write({"fingerprint": budget.fingerprint, "state": state, "now": now}, budget.checkpoint)


def _resume(budget, network, optimiser, rate) -> dict:
    """State to go on from; empty if there is none, or none of this training."""
    if budget.checkpoint is None or not budget.checkpoint.exists():
        return {}
    try:
        saved = models.read(budget.checkpoint)
    except models.ModelError as error:
        log.warning("%s; beginning anew", error)
        return {}
    if saved.get("fingerprint") != budget.fingerprint:
        log.info("%s is of another data set, configuration or version of the code: beginning anew", budget.checkpoint)
        return {}
    for part, known in ((network, "network"), (optimiser, "optimiser"), (rate, "rate")):
        part.load_state_dict(saved["now"][known])
    log.info("%s: going on from step %d", budget.checkpoint, saved["state"]["step"])
    return saved["state"]


def fit(
    problem, method, options, budget, train_store, validation_store, seed, device, threads, model, curve, checkpoint
):
    """Train one method on one dataset; write its model and learning curve. What the rule `train` calls.

    Beside what the method learned the model holds what it is: method, options, seed, precision, and as `spec` what
    methods are given of the entry of the dataset that it was trained on.

    The last row of the curve tells what the whole training took (`seconds`, `core_s`), all sessions together and what
    follows the last step included. The checkpoint goes once the model is written: a training that is asked for again
    begins anew.
    """
    instance = methods.load(problem, method, options)
    stores = {"train": train_store, "validation": validation_store}
    splits = {name: Dataset.open(store).training() for name, store in stores.items()}
    code = sources.state(__name__, f"blurbench.{problem}.methods.{method}")
    data = [Path(store).with_suffix(".json").read_bytes() for store in stores.values()]
    settings = json.dumps([options, budget, seed, code], sort_keys=True).encode()
    fingerprint = hashlib.blake2b(b"".join([settings, *data]), digest_size=16).hexdigest()
    checkpoint = Path(checkpoint)
    given = Budget(**budget, threads=threads, checkpoint=checkpoint, fingerprint=fingerprint)
    learned, points = instance.fit(splits, given, device, seed)
    for name, value in given.cost.spent().items():
        rows = points.index[-1:] if name in points else points.index  # a choice of settings has one cost
        points.loc[rows, name] = value
    points.to_csv(curve, index=False)
    about = {"method": method, "options": options, "seed": seed, "precision": given.precision}
    models.write({**about, "spec": splits["train"].spec, **learned}, model)
    checkpoint.unlink(missing_ok=True)
