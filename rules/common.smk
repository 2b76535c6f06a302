"""Functions that the rules share; no rule stands here.

Needs: the configuration. Makes: `config` expanded, or one message that lists everything wrong with it.
A function that takes `wildcards` serves as an input, params or resources function of the rules named in its docstring.
"""

import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

# This workflow's own library, whatever is installed: for the plan, and for what the rules run, in an environment of
# conda or not. On a cluster a job is a Snakemake again, which reads this too.
sys.path.insert(0, str(Path(workflow.basedir) / "src"))

from blurbench import problems
from blurbench.planning import configuration, sources, work

# The first half is what Snakemake itself puts before a command.
shell.prefix(f"set -euo pipefail; export PYTHONPATH={shlex.quote(sources.search_path())}; ")

try:
    config = configuration.expand(config)
except configuration.ConfigurationError as error:
    raise WorkflowError(str(error)) from None

RESULTS = f"results/{config['run']}"
PREDICTIONS = {  # by what the problem's answers are kept in
    ".parquet": "<results>/predictions/{problem}/{dataset}/{method}/{seed}.parquet",
    ".zarr": "<results>/predictions/{problem}/{dataset}/{method}/{seed}.zarr",
}
PREDICTIONS_MANIFEST = "<results>/predictions/{problem}/{dataset}/{method}/{seed}.json"  # beside a .zarr
SCORES = "<results>/scores/{problem}/{dataset}/{method}/{seed}.parquet"
MODELS = "<results>/models/{problem}/{dataset}/{method}/{seed}.pt"
STORES = "<results>/datasets/{problem}/{dataset}/test.zarr"
MANIFESTS = "<results>/datasets/{problem}/{dataset}/test.json"
NOTHING = "(?!)"  # a pattern that matches no name


# -- names


def alternatives(names):
    """Pattern that matches exactly the names given."""
    return "|".join(dict.fromkeys(names)) or NOTHING


def datasets():
    return [name for entry in config["problems"].values() for name in entry["datasets"]]


def methods(**wanted):
    """Names of the methods whose entries hold the values wanted."""
    return [
        name
        for problem in config["problems"].values()
        for name, entry in problem["methods"].items()
        if all(bool(entry[key]) == value for key, value in wanted.items())
    ]


def trained(kind):
    """Names of the trained methods, learned or classical; one that is both, in two problems, counts as learned."""
    entries = [item for problem in config["problems"].values() for item in problem["methods"].items()]
    learned = {name for name, entry in entries if entry["kind"] == "learned"}
    return [name for name in methods(trains=True) if (name in learned) == (kind == "learned")]


def figure_names(overall=False):
    """Names of the figures of any problem, of one dataset or over all."""
    declared = map(problems.load, config["problems"])
    return [name for one in declared for name in (one.summary_figures if overall else one.figures)]


def answered_in(suffix):
    """Names of the problems whose answers are kept in files of that kind."""
    return [problem for problem in config["problems"] if problems.load(problem).answer.suffix == suffix]


def extra_rules():
    """Rule files of the user's own."""
    return sorted(map(str, Path(workflow.basedir).glob("rules/extra/*.smk")))


def entry(wildcards):
    """Configuration entry of a method."""
    return config["problems"][wildcards.problem]["methods"][wildcards.method]


def answer(wildcards):
    """Params function: what the methods of {problem} answer."""
    return repr(problems.load(wildcards.problem).answer)


def entry_of(key):
    """Params function: one value of a method's entry."""

    def value(wildcards):
        return entry(wildcards)[key]

    return value


# -- files


def library(*modules):
    """Params function: the state of the library that a stage's result depends on; where it changes, the stage runs again.

    Names may hold wildcards and {file}, the method's. Not the files themselves as inputs: twenty for every job would take
    as much of the planning as all the rest.
    """

    def state(wildcards):
        file = entry(wildcards)["method"] if "method" in wildcards.keys() else ""
        return sources.state(*(module.format(**wildcards, file=file) for module in modules))

    return state


def dataset_files(wildcards):
    """simulate: what the dataset is made from beside the configuration, such as a measured PSF."""
    dataset = config["problems"][wildcards.problem]["datasets"][wildcards.dataset]
    return problems.find(wildcards.problem, "configuration.files")(dataset)


def model(wildcards):
    """predict: the trained weights, none for a method that is not trained."""
    weights = entry(wildcards)["model"]
    dataset = config["problems"][wildcards.problem]["datasets"][wildcards.dataset]["models"]
    return (
        collect(MODELS, problem=wildcards.problem, dataset=dataset, method=weights, seed=wildcards.seed)
        if weights
        else []
    )


def predictions(wildcards):
    """score: the predictions file."""
    return PREDICTIONS[problems.load(wildcards.problem).answer.suffix].format(**wildcards)


def predictions_manifest(wildcards):
    """score: what stands beside answers that are images."""
    return PREDICTIONS_MANIFEST.format(**wildcards) if wildcards.problem in answered_in(".zarr") else []


def predictions_of_units(wildcards):
    """draw: the predictions file of every unit of work of {problem}, or of {dataset} alone."""
    return files_of_units(PREDICTIONS[problems.load(wildcards.problem).answer.suffix])(wildcards)


def manifests_of_predictions(wildcards):
    """draw: what stands beside them where they are images."""
    return files_of_units(PREDICTIONS_MANIFEST)(wildcards) if wildcards.problem in answered_in(".zarr") else []


def files_of_units(pattern):
    """Input function: the file of `pattern` for every unit of work of {problem}, or of all problems."""

    def files(wildcards):
        units = work.units(config, wildcards.get("problem"), wildcards.get("dataset"))
        return [file for unit in units for file in collect(pattern, **unit._asdict())]

    return files


def files_of_datasets(pattern):
    """Input function: the file of `pattern` for every dataset of {problem}, or for {dataset} alone."""

    def files(wildcards):
        names = (
            [wildcards.dataset] if "dataset" in wildcards.keys() else config["problems"][wildcards.problem]["datasets"]
        )
        return collect(pattern, problem=wildcards.problem, dataset=names)

    return files


def curves(wildcards):
    """draw: the learning curve of every model of `names_of_curves`."""
    return [
        f"<results>/models/{wildcards.problem}/{dataset}/{method}/{seed}.csv"
        for dataset, method, seed in names_of_curves(wildcards)
    ]


def trainings():
    """summarise: (problem, dataset, method, seed) of all that is trained, each once."""
    found = [
        (problem, *model)
        for problem, entry in config["problems"].items()
        for name in entry["datasets"]
        for model in work.models_of(config, problem, name)
    ]
    return list(dict.fromkeys(found))


def training_benchmarks():
    """summarise: the benchmark files of `trainings`."""
    return [f"<results>/benchmarks/train/{'/'.join(map(str, training))}.tsv" for training in trainings()]


def extra_tables():
    """summarise: (problem, table) of every table beside a main one."""
    return [(problem, table) for problem in config["problems"] for table in problems.load(problem).tables]


# -- targets


def tables():
    """Every table of every problem."""
    main = collect(
        "<results>/tables/{problem}{ending}",
        problem=config["problems"],
        ending=[".csv", ".md", ".html", ".tex", "_pairs.csv"],
    )
    extra = [f"<results>/tables/{problem}_{table}.{end}" for problem, table in extra_tables() for end in ("csv", "md")]
    return main + extra


def figures():
    """Every figure of every problem."""
    found = []
    for problem, entry in config["problems"].items():
        for dataset, data in entry["datasets"].items():
            if data["models"] != dataset:
                continue  # stands in the figures over all datasets, beside the one whose models it uses
            names = problems.load(problem).figures
            found += collect(
                "<results>/figures/{problem}/{figure}_{dataset}.svg", problem=problem, figure=names, dataset=dataset
            )
        overall = problems.load(problem).summary_figures
        found += collect("<results>/figures/{problem}/{figure}.svg", problem=problem, figure=overall)
    return found


def recordings():
    """What `measure` makes for every recording."""
    files = ["methods.csv", "details.csv", "reference.csv", "picture.svg"]
    return collect("<results>/recordings/{recording}/{file}", recording=config["recordings"], file=files)


# -- recordings


def recording(wildcards):
    """prepare, measure: the recording's entry."""
    return config["recordings"][wildcards.recording]


def recording_file(wildcards):
    """prepare, measure: the movie or volume itself."""
    return recording(wildcards)["file"]


def recording_spec(wildcards):
    """prepare: the dataset entry whose models apply; it says what items they take."""
    return work.spec(config, recording(wildcards)["problem"], recording(wildcards)["dataset"], "test")


def recording_models(wildcards):
    """measure: every model that a method of the recording uses."""
    return [model for method in recording_methods(wildcards).values() for model in method["models"].values()]


def recording_methods(wildcards):
    """measure: method, kind, options and model files (by training seed) of every method that applies, by name."""
    problem, dataset = recording(wildcards)["problem"], recording(wildcards)["dataset"]
    home = config["problems"][problem]["datasets"][dataset]["models"]
    return {
        name: {
            **{key: method[key] for key in ("method", "kind", "options")},
            "models": {
                seed: f"{RESULTS}/models/{problem}/{home}/{method['model']}/{seed}.pt"
                for seed in work.seeds(config, problem, name)
                if method["model"]
            },
        }
        for name, method in work.live_methods(config, problem, dataset).items()
    }


def preparation_library(wildcards):
    """prepare: the state of the library behind the items of a recording."""
    return sources.state("blurbench.files.parquet", f"blurbench.{recording(wildcards)['problem']}.preparation")


def measurement_library(wildcards):
    """measure: the state of the library behind every method that runs on the recording, and what is made of their answers."""
    problem = recording(wildcards)["problem"]
    used = sorted({f"methods.{method['method']}" for method in recording_methods(wildcards).values()})
    return sources.state(*(f"blurbench.{problem}.{name}" for name in ["measurement", *used]))


# -- params and resources


def dataset_entries(wildcards):
    """draw, tabulate: the entries of the datasets of {problem}; which methods run on them shows in the scores."""
    entries = config["problems"][wildcards.problem]["datasets"]
    return {
        name: {key: value for key, value in entry.items() if key not in ("methods", "items", "splits")}
        for name, entry in entries.items()
    }


def names_of_predictions(wildcards):
    """draw: (dataset, method, seed) of every prediction file of {problem}, or of {dataset} alone, in their order."""
    return [unit[1:] for unit in work.units(config, wildcards.problem, wildcards.get("dataset"))]


def names_of_curves(wildcards):
    """draw: (dataset, method, seed) of every model with a learning curve behind {problem}, or behind {dataset} alone."""
    names = [wildcards.dataset] if "dataset" in wildcards.keys() else config["problems"][wildcards.problem]["datasets"]
    found = [row for name in names for row in work.models_of(config, wildcards.problem, name)]
    entries = config["problems"][wildcards.problem]["methods"]
    return [row for row in dict.fromkeys(found) if entries[row[1]]["kind"] == "learned"]


def spec(wildcards):
    """simulate: all that the split depends on."""
    return work.spec(config, wildcards.problem, wildcards.dataset, wildcards.split)


def checkpoint_file(wildcards):
    """train: where training resumes from; no output, as Snakemake deletes outputs before it tries again."""
    return f"{RESULTS}/checkpoints/{wildcards.problem}/{wildcards.dataset}/{wildcards.method}/{wildcards.seed}.pt"


def gpus(wildcards):
    """train: the GPUs asked for."""
    return 0 if config["device"] == "cpu" or entry(wildcards)["kind"] != "learned" else 1


def memory(stage):
    """Resources function: MB from the sizes in the configuration, more at each attempt."""

    def mem_mb(wildcards, attempt):
        return attempt * work.memory_mb(config, stage, wildcards.problem, wildcards.dataset, wildcards.get("method"))

    return mem_mb


def megabytes(number):
    """Resources function: a fixed amount, more at each attempt."""

    def mem_mb(wildcards, attempt):
        return attempt * number

    return mem_mb


def minutes(number):
    """Resources function: a runtime, more at each attempt."""

    def runtime(wildcards, attempt):
        return attempt * number

    return runtime


def recording_mb(wildcards):
    """The recording's content as float64 and twice more, or what can be said of a folder of images."""
    file = Path(recording_file(wildcards))
    return round(24 * file.stat().st_size / 1e6) if file.is_file() else 4000


def prepare_memory(wildcards, attempt):
    """prepare: that of the recording."""
    return attempt * (work.BASE_MB + recording_mb(wildcards))


def measure_memory(wildcards, attempt):
    """measure: that of the hungriest method, and of the recording, which may be one large item."""
    problem, dataset = recording(wildcards)["problem"], recording(wildcards)["dataset"]
    names = recording_methods(wildcards)
    hungriest = max((work.memory_mb(config, "predict", problem, dataset, name) for name in names), default=work.BASE_MB)
    return attempt * (hungriest + recording_mb(wildcards))
