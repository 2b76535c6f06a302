"""Which methods a recording goes through, and with which models."""

from typing import Any

from blurbench.planning import shipped, units

Config = dict[str, Any]  # an expanded configuration


def of_recording(config: Config, recording: dict[str, Any], results: str) -> dict[str, dict[str, Any]]:
    """Of each method by name: method, kind, options, models, trained_on, weights and sha256.

    Models that come with blurbench are taken where the recording says so, or says nothing and there is one for its
    dataset; then a method without one is left out, so that nothing is trained. Else all are the run's own.

    Parameters
    ----------
    recording : entry of the configuration
    results : folder of the run

    Returns
    -------
    {name: {"method", "kind", "options" as to be given in prediction, "models": {training seed: file}, "trained_on": the
    entry of that dataset or None, "weights": shipped, own or empty, "sha256": of the model's file if it is shipped}}
    """
    problem, dataset = recording["problem"], recording["dataset"]
    live = units.live_methods(config, problem, dataset)
    cards = {} if recording.get("weights") == shipped.OWN else shipped.fitting(config, problem, dataset)
    if cards:
        return {
            name: _shipped(config, problem, dataset, name, cards[name]) if method["model"] else _own(method, {}, None)
            for name, method in live.items()
            if name in cards or not method["model"]
        }
    found = {}
    for name, method in live.items():
        home = units.home(config, problem, dataset, name)
        folder = f"{results}/models/{problem}/{home}/{method['model']}"
        seeds = units.seeds(config, problem, dataset, name) if method["model"] else []
        spec = units.spec(config, problem, home, "test") if method["model"] else None
        found[name] = _own(method, {seed: f"{folder}/{seed}.pt" for seed in seeds}, spec)
    return found


def _own(method: Config, models: dict[int, str], trained_on: Config | None) -> dict[str, Any]:
    return {
        **{key: method[key] for key in ("method", "kind")},
        "options": units.stated_options(method),
        "models": models,
        "trained_on": trained_on,
        "weights": shipped.OWN if models else "",
        "sha256": None,
    }


def _shipped(config: Config, problem: str, dataset: str, name: str, card: dict[str, Any]) -> dict[str, Any]:
    """Of a method with a shipped model; its options are those that its entry states otherwise than the trained one."""
    method = config["problems"][problem]["methods"][name]
    trained = config["problems"][problem]["methods"][method["model"]]
    home = units.home(config, problem, dataset, name)
    return {
        **{key: method[key] for key in ("method", "kind")},
        "options": {
            key: value
            for key, value in units.stated_options(method).items()
            if value != units.stated_options(trained).get(key)
        },
        "models": {card["seed"]: str(shipped.file(problem, home, method["model"]))},
        "trained_on": card["trained_on"],
        "weights": shipped.SHIPPED,
        "sha256": card["sha256"],
    }
