"""The work that a configuration asks for: which models, predictions and stores."""

from typing import Any, NamedTuple

Config = dict[str, Any]  # an expanded configuration


class Unit(NamedTuple):
    """One predictions file: predictions/{problem}/{dataset}/{method}/{seed}.parquet."""

    problem: str
    dataset: str
    method: str
    seed: int


def units(config: Config, problem: str | None = None, dataset: str | None = None) -> list[Unit]:
    """Predictions that an expanded configuration asks for, in its order; of one problem or dataset if given."""
    return [
        Unit(p, d, method, seed)
        for p, entry in config["problems"].items()
        if problem in (None, p)
        for d, data in entry["datasets"].items()
        if dataset in (None, d)
        for method in data["methods"]
        for seed in seeds(config, p, d, method)
    ]


def seeds(config: Config, problem: str, dataset: str, method: str) -> list[int]:
    """Seeds of a method on a dataset: those of the training for a learned one, the single 0 for any other."""
    entry = config["problems"][problem]
    if entry["methods"][method]["kind"] != "learned":
        return [0]
    return entry["datasets"][home(config, problem, dataset, method)]["training_seeds"] or config["training_seeds"]


def home(config: Config, problem: str, dataset: str, method: str) -> str:
    """Dataset that the weights were trained on with which a method predicts on a dataset."""
    entry = config["problems"][problem]
    return entry["methods"][method]["of"] or entry["datasets"][dataset]["models"]


def models_of(config: Config, problem: str, dataset: str) -> list[tuple[str, str, int]]:
    """(dataset, method, seed) of the models behind a dataset's predictions, each once."""
    entry = config["problems"][problem]
    weights = {name: entry["methods"][name]["model"] for name in entry["datasets"][dataset]["methods"]}
    trained = dict.fromkeys((home(config, problem, dataset, name), model) for name, model in weights.items() if model)
    return [(*model, seed) for model in trained for seed in seeds(config, problem, *model)]


def trainings(config: Config) -> list[tuple[str, str, str, int]]:
    """(problem, dataset, method, seed) of every model, each once; that of a sweep is the best of several trainings."""
    found = [
        (problem, *model)
        for problem, entry in config["problems"].items()
        for name in entry["datasets"]
        for model in models_of(config, problem, name)
    ]
    return list(dict.fromkeys(found))


def stated_options(method: Config) -> dict[str, Any]:
    """Options of a method's entry in prediction: those that are swept are left to what its model says."""
    return {key: value for key, value in method["options"].items() if key not in method["sweep"]}


def spec(config: Config, problem: str, dataset: str, split: str) -> dict[str, Any]:
    """What a split depends on and nothing else, so that a change elsewhere in the entry does not simulate it again."""
    entry = config["problems"][problem]["datasets"][dataset]
    others = {"like", "methods", "splits", "models", "training_seeds", "items"}
    kept = {key: value for key, value in entry.items() if key not in others}
    return {**kept, "items": {split: entry["items"][split]}}


def live_methods(config: Config, problem: str, dataset: str) -> dict[str, Any]:
    """Entries of the methods that a recording goes through.

    Every classical one that is ready to use, and those with a model, be it of weights or of chosen settings, that the
    dataset lists: no other has a model there.
    """
    entry = config["problems"][problem]
    chosen = entry["datasets"][dataset]["methods"]
    return {
        name: method
        for name, method in entry["methods"].items()
        if not method["external"]
        and method["kind"] in ("classical", "learned")
        and (name in chosen or not method["model"])
    }
