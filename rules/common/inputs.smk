"""Input functions: which files a job needs."""


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


def curves(wildcards):
    """draw: the learning curve of every model of `names_of_curves`."""
    return [
        f"<results>/models/{wildcards.problem}/{dataset}/{method}/{seed}.csv"
        for dataset, method, seed in names_of_curves(wildcards)
    ]


def training_curves():
    """summarise: the learning curves of `trainings`, or how settings were chosen."""
    return [f"<results>/models/{'/'.join(map(str, training))}.csv" for training in trainings()]


def training_benchmarks():
    """summarise: the benchmark files of `trainings`."""
    return [f"<results>/benchmarks/train/{'/'.join(map(str, training))}.tsv" for training in trainings()]
