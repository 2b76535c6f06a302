"""Functions of the rule `validate`, and of `draw`, which reads what it makes."""


def validated_methods(wildcards):
    """validate: method, kind, options and model files (by training seed) of every method of {dataset}, by name.

    An entry that uses the weights of another one is no training, and left out; so is one whose predictions a rule of the
    user's writes.
    """
    problem, dataset = wildcards.problem, wildcards.dataset
    entries = config["problems"][problem]["methods"]
    return {
        name: {
            **{key: entries[name][key] for key in ("method", "kind")},
            "options": units.stated_options(entries[name]),
            "models": {
                seed: f"{RESULTS}/models/{problem}/{dataset}/{name}/{seed}.pt"
                for seed in units.seeds(config, problem, dataset, name)
                if entries[name]["trains"]
            },
        }
        for name in config["problems"][problem]["datasets"][dataset]["methods"]
        if not entries[name]["external"] and (entries[name]["trains"] or not entries[name]["model"])
    }


def validated_models(wildcards):
    """validate: every model of those methods."""
    return [model for method in validated_methods(wildcards).values() for model in method["models"].values()]


def validation_scores(wildcards):
    """draw: scores on the validation split of {dataset}; none where no network is trained on it."""
    networks = [row for row in names_of_curves(wildcards) if row[0] == wildcards.get("dataset")]
    return collect(VALIDATION, problem=wildcards.problem, dataset=wildcards.dataset) if networks else []


def validation_library(wildcards):
    """validate: the state of the library behind all methods, and their scores."""
    files = sorted({method["method"] for method in validated_methods(wildcards).values()})
    names = ["score", *(f"methods.{file}" for file in files)]
    return sources.state("blurbench.running.validation", *(f"blurbench.{wildcards.problem}.{name}" for name in names))


def validation_memory(wildcards, attempt):
    """validate: that of the hungriest method."""
    problem, dataset = wildcards.problem, wildcards.dataset
    names = validated_methods(wildcards)
    return attempt * max(memory_mb(config, "predict", problem, dataset, name) for name in names)
