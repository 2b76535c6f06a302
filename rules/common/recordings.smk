"""Functions of the rules `prepare` and `measure`, whose only wildcard is the recording."""


def recording(wildcards):
    """prepare, measure: the recording's entry."""
    return config["recordings"][wildcards.recording]


def recording_file(wildcards):
    """prepare, measure: the movie or volume itself, or those that are pooled."""
    return pooled.files(recording(wildcards))


def recording_centres(wildcards):
    """prepare, measure: the table of known centres, where the recording's entry names one."""
    return recording(wildcards).get("centres", [])


def recording_psf(wildcards):
    """prepare: the image of the PSF, where the recording's entry names one."""
    psf = recording(wildcards).get("psf", {})
    return psf["file"] if psf.get("kind") == "image" else []


def recording_spec(wildcards):
    """prepare: the dataset entry whose models apply; it says what items they take."""
    return units.spec(config, recording(wildcards)["problem"], recording(wildcards)["dataset"], "test")


def recording_models(wildcards):
    """measure: every model that a method of the recording uses."""
    return [model for method in recording_methods(wildcards).values() for model in method["models"].values()]


def recording_methods(wildcards):
    """measure: of each method by name, what it is and which models it uses."""
    return of_recording(config, recording(wildcards), RESULTS)


def preparation_library(wildcards):
    """prepare: the state of the library behind the items of a recording."""
    return sources.state("blurbench.files.parquet", f"blurbench.{recording(wildcards)['problem']}.preparation")


def measurement_library(wildcards):
    """measure: the state of the library behind every method that runs on the recording, and what is made of their answers."""
    problem = recording(wildcards)["problem"]
    used = sorted({f"methods.{method['method']}" for method in recording_methods(wildcards).values()})
    return sources.state(*(f"blurbench.{problem}.{name}" for name in ["measurement", *used]))


def prepare_memory(wildcards, attempt):
    """prepare: that of the recording."""
    one = recording(wildcards)
    return attempt * prepare_mb(one, config["problems"][one["problem"]]["datasets"][one["dataset"]])


def measure_memory(wildcards, attempt):
    """measure: that of the hungriest method, and of the recording, which may be one large item."""
    problem, dataset = recording(wildcards)["problem"], recording(wildcards)["dataset"]
    names = recording_methods(wildcards)
    hungriest = max((memory_mb(config, "predict", problem, dataset, name) for name in names), default=BASE_MB)
    return attempt * (hungriest + measure_mb(recording(wildcards)))
