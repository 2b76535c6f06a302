"""The configuration's trainings, on datasets that are simulated for them; each goes on from its last checkpoint."""

from typing import NamedTuple

import pandas as pd

from blurbench.files import models
from blurbench.learning.budget import Budget
from blurbench.learning.training import fit
from blurbench.planning import units
from blurbench.running.simulation import simulate

SHARE = 1 / 10  # of the minutes, that a dataset takes at most to be simulated, and a training to go through it, if cut
SPLITS = ("train", "validation")


class Training(NamedTuple):
    """One model of a configuration; the method is the name of its entry. Of a sweep it stands for the first trial."""

    problem: str
    dataset: str
    method: str
    seed: int

    def entry(self, config):
        """The method's file, options and budget."""
        entry = config["problems"][self.problem]["methods"][self.method]
        return {"method": entry["method"], **entry["trials"][0]}


def of(config):
    """Trainings of networks, the most valuable first.

    By seed; then the first dataset of every problem, the second, and so on; then in the configuration's order.
    """
    ranks = {}
    for problem, entry in config["problems"].items():
        own = [name for name, dataset in entry["datasets"].items() if dataset["models"] == name]
        for rank, dataset in enumerate(own):
            for home, method, seed in units.models_of(config, problem, dataset):
                if home == dataset and entry["methods"][method]["kind"] == "learned":
                    seeds = units.seeds(config, problem, dataset, method)
                    ranks[Training(problem, dataset, method, seed)] = seeds.index(seed), rank
    return sorted(ranks, key=ranks.get)


def stated(config, problem, dataset):
    """{split: number of items} of the splits of a training, as the configuration states them."""
    numbers = config["problems"][problem]["datasets"][dataset]["items"]
    return {split: numbers[split] for split in SPLITS}


def cut(numbers, speeds, seconds):
    """Numbers of items that SHARE of the minutes simulates, and takes through the slowest of the trainings.

    Parameters
    ----------
    numbers : as `stated`
    speeds : what throughput.measure found of each training on the dataset
    seconds : of all the minutes
    """
    rate = min(min(speed["simulated_per_s"], speed["items_per_s"] / speed["epochs"]) for speed in speeds)
    least = max(speed["batch_size"] for speed in speeds)
    train = min(numbers["train"], max(least, int(SHARE * seconds * rate)))
    return {"train": train, "validation": max(1, round(numbers["validation"] * train / numbers["train"]))}


def make_dataset(config, problem, dataset, numbers, folder):
    """Simulate the splits that a training needs, of these numbers of items."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, number in numbers.items():
        spec = {**units.spec(config, problem, dataset, split), "items": {split: number}}
        store = folder / f"{split}.zarr"
        simulate(problem, dataset, split, spec, config["seed"], store, store.with_suffix(".json"))
    return {"items": numbers, "stated": stated(config, problem, dataset)}


def make(config, training, stores, files, device, threads, clock):
    """Train to the end, from the checkpoint on if there is one; OutOfTime where the minutes end before.

    Parameters
    ----------
    stores : folder of the dataset
    files : path of the model without its suffix

    Returns
    -------
    dict: items (presented), training_s, items_per_s, waiting (share of the time in which steps waited for their
    batches) and validation_loss, the least; of all sessions together
    """
    entry = training.entry(config)
    files.parent.mkdir(parents=True, exist_ok=True)
    model, curve, checkpoint = (files.with_suffix(suffix) for suffix in (".pt", ".csv", ".checkpoint"))
    splits = [stores / f"{split}.zarr" for split in SPLITS]
    about = training.problem, entry["method"], entry["options"], entry["budget"]
    with clock.watching():
        fit(*about, *splits, training.seed, device.type, threads, model, curve, checkpoint)
    points = pd.read_csv(curve)
    last = points.iloc[-1]
    return {
        "items": int(last["items"]),
        "training_s": last["seconds"],
        "items_per_s": last["items"] / last["seconds"],
        "waiting": last["seconds_waited"] / last["seconds"],
        "validation_loss": points["validation_loss"].min(),
    }


def interval(budget, items, speed):
    """Seconds between two checkpoints of a training of so many items, at a speed that throughput.measure found."""
    budget = Budget(**budget)
    return budget.steps(items) / budget.validations * speed["step_s"]


def reached(files):
    """Step that the checkpoint of a training has reached, 0 without one."""
    checkpoint = files.with_suffix(".checkpoint")
    return models.read(checkpoint)["state"]["step"] if checkpoint.exists() else 0
