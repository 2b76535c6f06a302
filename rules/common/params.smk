"""Params functions: what a script is told, and the state of the library behind it."""


def entry(wildcards):
    """Configuration entry of a method."""
    return config["problems"][wildcards.problem]["methods"][wildcards.method]


def entry_of(key):
    """Params function: one value of a method's entry."""

    def value(wildcards):
        return entry(wildcards)[key]

    return value


def answer(wildcards):
    """Params function: what the methods of {problem} answer."""
    return repr(problems.load(wildcards.problem).answer)


def spec(wildcards):
    """simulate: all that the split depends on."""
    return units.spec(config, wildcards.problem, wildcards.dataset, wildcards.split)


def checkpoint_file(wildcards):
    """train: where training resumes from; no output, as Snakemake deletes outputs before it tries again."""
    return f"{RESULTS}/checkpoints/{wildcards.problem}/{wildcards.dataset}/{wildcards.method}/{wildcards.seed}.pt"


def dataset_entries(wildcards):
    """draw, tabulate: the entries of the datasets of {problem}; which methods run on them shows in the scores."""
    entries = config["problems"][wildcards.problem]["datasets"]
    return {
        name: {key: value for key, value in entry.items() if key not in ("methods", "items", "splits", "training_seeds")}
        for name, entry in entries.items()
    }


def names_of_predictions(wildcards):
    """draw: (dataset, method, seed) of every prediction file of {problem}, or of {dataset} alone, in their order."""
    return [unit[1:] for unit in units.units(config, wildcards.problem, wildcards.get("dataset"))]


def names_of_curves(wildcards):
    """draw: (dataset, method, seed) of every model with a learning curve behind {problem}, or behind {dataset} alone."""
    names = [wildcards.dataset] if "dataset" in wildcards.keys() else config["problems"][wildcards.problem]["datasets"]
    found = [row for name in names for row in units.models_of(config, wildcards.problem, name)]
    entries = config["problems"][wildcards.problem]["methods"]
    return [row for row in dict.fromkeys(found) if entries[row[1]]["kind"] == "learned"]


def entries_of_curves(wildcards):
    """draw: file and options of every method of `names_of_curves`."""
    entries = config["problems"][wildcards.problem]["methods"]
    return {
        name: {key: entries[name][key] for key in ("method", "options")} for _, name, _ in names_of_curves(wildcards)
    }


def method_states(wildcards):
    """summarise: what each method was when it was run."""
    return frozen.methods(config)


def trainings():
    """summarise: (problem, dataset, method, seed) of all that is trained, each once."""
    found = [
        (problem, *model)
        for problem, entry in config["problems"].items()
        for name in entry["datasets"]
        for model in units.models_of(config, problem, name)
    ]
    return list(dict.fromkeys(found))


def extra_tables():
    """summarise: (problem, table) of every table beside a main one."""
    return [(problem, table) for problem in config["problems"] for table in problems.load(problem).tables]


def library(*modules):
    """Params function: the state of the library that a stage's result depends on; where it changes, the stage runs again.

    Names may hold wildcards and {file}, the method's. Not the files themselves as inputs: twenty for every job would take
    as much of the planning as all the rest.
    """

    def state(wildcards):
        file = entry(wildcards)["method"] if "method" in wildcards.keys() else ""
        return sources.state(*(module.format(**wildcards, file=file) for module in modules))

    return state
