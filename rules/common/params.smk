"""Params functions: what a script is told, and the state of the library behind it."""


def entry(wildcards):
    """Configuration entry of a method."""
    return config["problems"][wildcards.problem]["methods"][wildcards.method]


def entry_of(key):
    """Params function: one value of a method's entry."""

    def value(wildcards):
        return entry(wildcards)[key]

    return value


def options(wildcards):
    """predict: the options that the method's entry states; the others are those of its model."""
    return units.stated_options(entry(wildcards))


def trial(key):
    """Params function of a training: the options or the budget of a trial, the only one where nothing is swept."""

    def value(wildcards):
        return entry(wildcards)["trials"][int(wildcards.get("trial", 0))][key]

    return value


def values_of_trials(wildcards):
    """choose: what each trial of the sweep tries."""
    return [one["values"] for one in entry(wildcards)["trials"]]


def training(names):
    """Wildcards of a training, of its (problem, dataset, method, seed)."""
    return dict(zip(("problem", "dataset", "method", "seed"), names, strict=True))


def answer(wildcards):
    """Params function: what the methods of {problem} answer."""
    return repr(problems.load(wildcards.problem).answer)


def spec(wildcards):
    """simulate: all that the split depends on."""
    return units.spec(config, wildcards.problem, wildcards.dataset, wildcards.split)


def checkpoint_file(wildcards):
    """train: where training resumes from; no output, as Snakemake deletes outputs before it tries again."""
    return beside_model("checkpoints", wildcards)


def history_file(wildcards):
    """train: where it is written down each time that this training raises; no output either."""
    return beside_model("raised", wildcards).removesuffix(".pt") + ".txt"


def times_raised(wildcards):
    """train: how often this training raised in the runs before, so that the next one tries it again."""
    history = Path(history_file(wildcards))
    return len(history.read_text(encoding="utf-8").splitlines()) if history.exists() else 0


def beside_model(folder, wildcards):
    """Path of a training's model in another folder of the run."""
    model = TRIAL_MODELS if "trial" in wildcards.keys() else MODELS
    return model.replace("<results>/models", f"{RESULTS}/{folder}").format(**wildcards)


def dataset_entries(wildcards):
    """draw, tabulate: the entries of the datasets of {problem}; which methods run on them shows in the scores."""
    entries = config["problems"][wildcards.problem]["datasets"]
    return {
        name: {
            key: value for key, value in entry.items() if key not in ("methods", "items", "splits", "training_seeds")
        }
        for name, entry in entries.items()
    }


def datasets_compared(wildcards):
    """draw: names of the datasets of {problem} that its methods are ranked over."""
    return ", ".join(compared_datasets.independent(config["problems"][wildcards.problem]["datasets"]))


def over_datasets(wildcards):
    """summarise: a sentence for each problem on whether its methods are compared over datasets."""
    return {problem: compared_datasets.told(entry) for problem, entry in config["problems"].items()}


def item_counts(wildcards):
    """tabulate, draw: how many items stand behind it, in words of the schema, by dataset."""
    entries = config["problems"][wildcards.problem]["datasets"]
    names = [wildcards.dataset] if "dataset" in wildcards.keys() else entries
    of_trainings = wildcards.get("figure") in problems.load(wildcards.problem).training_figures
    splits = ("validation", "test") if of_trainings else ("test",)  # its own words say which of them a figure shows
    about = schemas.of_dataset(wildcards.problem)["properties"]["items"]["properties"]

    def counts(split):
        return f"{about[split]['description']}: " + ", ".join(
            f"{name} {entries[name]['items'][split]}" for name in names
        )

    return "; ".join(map(counts, splits))


def reading(wildcards):
    """draw: what a figure shows and how to read it, as its module says."""
    file = problems.LIBRARY / wildcards.problem / "figures" / f"{wildcards.figure}.py"
    return ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))


def configuration_files():
    """summarise: those that the configuration was read from, each laid over those before it."""
    over = workflow.overwrite_configfiles  # of the command line, which Snakemake has before that of the Snakefile
    return [os.path.relpath(file) for file in [*(f for f in workflow.configfiles if f not in over), *over]]


def names_of_predictions(wildcards):
    """draw: (dataset, method, seed) of every prediction file of {problem}, or of {dataset} alone, in their order."""
    return [unit[1:] for unit in units.units(config, wildcards.problem, wildcards.get("dataset"))]


def names_of_curves(wildcards):
    """draw: (dataset, method, seed) of every model with a learning curve behind {problem}, or behind {dataset} alone.

    Not those `of` another dataset than that whose models a dataset uses: they stand in that one's figure.
    """
    found = config["problems"][wildcards.problem]
    names = [wildcards.dataset] if "dataset" in wildcards.keys() else found["datasets"]
    rows = [
        row
        for name in names
        for row in units.models_of(config, wildcards.problem, name)
        if row[0] == found["datasets"][name]["models"] and found["methods"][row[1]]["kind"] == "learned"
    ]
    return list(dict.fromkeys(rows))


def names_of_trials(wildcards):
    """tabulate: (dataset, method, seed) of every sweep of {problem}."""
    return [names for problem, *names in swept() if problem == wildcards.problem]


def entries_of_curves(wildcards):
    """draw: what every method of `names_of_curves` is, and how it is trained."""
    entries = config["problems"][wildcards.problem]["methods"]
    return {
        name: {key: entries[name][key] for key in ("method", "options", "budget", "sweep")}
        for _, name, _ in names_of_curves(wildcards)
    }


def kinds(wildcards):
    """draw: the kind of every method of {problem}, by name."""
    return {name: entry["kind"] for name, entry in config["problems"][wildcards.problem]["methods"].items()}


def method_states(wildcards):
    """summarise: what each method was when it was run."""
    return frozen.methods(config)


def configuration_of_problem(wildcards):
    """tabulate: the configuration of {problem} as it was given, of which the tables' heads hold a checksum."""
    return given.text(GIVEN, [wildcards.problem])


def configuration_of_all(wildcards):
    """summarise: the configuration of all problems as it was given."""
    return given.text(GIVEN, GIVEN["problems"])


def prediction_jobs():
    """summarise: (problem, dataset, method, seed) of every prediction that is not left to a rule of the user's."""
    entries = config["problems"]
    return [
        tuple(unit) for unit in units.units(config) if not entries[unit.problem]["methods"][unit.method]["external"]
    ]


def trainings():
    """summarise: (problem, dataset, method, seed) of every training job, as often as a sweep has trials."""
    return [one for one in units.trainings(config) for _ in benchmarks_of(training(one))]


def number_of_trainings(wildcards):
    """complete: how many there are."""
    return len(trainings())


def training_logs(wildcards):
    """summarise: the logs of `trainings`."""
    logs = [file for one in units.trainings(config) for file in files_of_jobs("logs/train", training(one), "log")]
    return [log.replace("<results>", RESULTS) for log in logs]


def tables_beside(problem):
    """Names of the tables beside the main one of a problem: those that it declares, of mistakes and of trials."""
    wrong = any(entry.get("mistakes") for entry in config["problems"][problem]["datasets"].values())
    tried = any(one[0] == problem for one in swept())
    return [*problems.load(problem).tables, *["mistakes"] * wrong, *["sweep"] * tried]


def extra_tables():
    """summarise: (problem, table) of every table beside a main one."""
    return [(problem, table) for problem in config["problems"] for table in tables_beside(problem)]


def descriptions_of_methods(wildcards):
    """cards: what the file of every method says of itself, by problem and method; "" for one without."""
    return {
        problem: {name: described_by(problem, one["method"]) for name, one in entry["methods"].items()}
        for problem, entry in config["problems"].items()
    }


def described_by(problem, file):
    """Docstring of a method's file."""
    return ast.get_docstring(ast.parse(catalogue.source(problem, file).read_text(encoding="utf-8"))) if file else ""


def library(*modules):
    """Params function: the state of the library that a stage's result depends on; where it changes, the stage runs again.

    Names may hold wildcards and {file}, the method's. Not the files themselves as inputs: twenty for every job would take
    as much of the planning as all the rest.
    """

    def state(wildcards):
        file = entry(wildcards)["method"] if "method" in wildcards.keys() else ""
        return sources.state(*(module.format(**wildcards, file=file) for module in modules))

    return state
