"""Input functions: which files a job needs."""


def dataset_files(wildcards):
    """simulate: what the dataset is made from beside the configuration, such as a measured PSF."""
    dataset = config["problems"][wildcards.problem]["datasets"][wildcards.dataset]
    return list(problems.find(wildcards.problem, "configuration.files")(dataset).values())


def model(wildcards):
    """predict: the trained weights, none for a method that is not trained."""
    weights = entry(wildcards)["model"]
    dataset = units.home(config, wildcards.problem, wildcards.dataset, wildcards.method)
    return (
        collect(MODELS, problem=wildcards.problem, dataset=dataset, method=weights, seed=wildcards.seed)
        if weights
        else []
    )


@cache
def shipped_files():
    """{(problem, dataset, method, seed): model} of the trainings that are taken from weights/; none unless it is wished."""
    asked = units.trainings(config) if config["weights"] == shipped.SHIPPED else []
    found = {one: shipped.same_training(config, *one) for one in asked if one not in swept()}
    return {one: str(path) for one, path in found.items() if path}


def shipped_model(wildcards):
    """take: the model that is kept."""
    return shipped_files()[(wildcards.problem, wildcards.dataset, wildcards.method, int(wildcards.seed))]


def trials_of(pattern):
    """Input function of choose: the file of `pattern` for every trial of a sweep."""

    def files(wildcards):
        return collect(pattern, **wildcards, trial=range(len(entry(wildcards)["trials"])))

    return files


def tables_of_trials(wildcards):
    """tabulate: the trials of every sweep of {problem}."""
    return [TRIALS.format(**training(one)) for one in swept() if one[0] == wildcards.problem]


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
        wanted = units.units(config, wildcards.get("problem"), wildcards.get("dataset"))
        return [file for unit in wanted for file in collect(pattern, **unit._asdict())]

    return files


def files_of_datasets(pattern):
    """Input function: the file of `pattern` for every dataset of {problem}, or for {dataset} alone."""

    def files(wildcards):
        names = (
            [wildcards.dataset] if "dataset" in wildcards.keys() else config["problems"][wildcards.problem]["datasets"]
        )
        return collect(pattern, problem=wildcards.problem, dataset=names)

    return files


def manifests_of_splits():
    """cards: (problem, dataset, split, file) of every split that is simulated."""
    return [
        (problem, dataset, split, f"<results>/datasets/{problem}/{dataset}/{split}.json")
        for problem, entry in config["problems"].items()
        for dataset, data in entry["datasets"].items()
        for split in data["splits"]
    ]


def pictures_of_datasets():
    """cards: (problem, dataset, file) of the figure that shows items, of every dataset that has figures of its own."""
    return [
        (problem, dataset, f"<results>/figures/{problem}/{figure}_{dataset}.png")
        for problem, entry in config["problems"].items()
        for dataset, data in entry["datasets"].items()
        for figure in problems.load(problem).figures[:1]
        if data["models"] == dataset
    ]


def curves(wildcards):
    """draw: the learning curve of every model of `names_of_curves`."""
    return [CURVES.format(**training((wildcards.problem, *names))) for names in names_of_curves(wildcards)]


def training_models(wildcards):
    """summarise: the models of `trainings`."""
    return [file for one in units.trainings(config) for file in files_of_jobs("models", training(one), "pt")]


def training_curves():
    """summarise: the learning curves of `trainings`, or how settings were chosen."""
    return [file for one in units.trainings(config) for file in files_of_jobs("models", training(one), "csv")]


def prediction_benchmarks():
    """summarise: the benchmark files of `prediction_jobs`."""
    return [PREDICTION_BENCHMARKS.format(**training(one)) for one in prediction_jobs()]


def training_benchmarks():
    """summarise: the benchmark files of `trainings`."""
    return [file for one in units.trainings(config) for file in benchmarks_of(training(one))]


def benchmarks_of(names):
    """Benchmark files of the training of one model, or of those of all trials that it was chosen from."""
    return files_of_jobs("benchmarks/train", names, "tsv")


def files_of_jobs(folder, names, suffix):
    """A file of the job that trains one model, or of each trial's that it was chosen from."""
    method = config["problems"][names["problem"]]["methods"][names["method"]]
    path = f"<results>/{folder}/" + "{problem}/{dataset}/{method}".format(**names)
    trials = [f"trials/{trial}/" for trial in range(len(method["trials"]))] if method["sweep"] else [""]
    return [f"{path}/{trial}{names['seed']}.{suffix}" for trial in trials]
