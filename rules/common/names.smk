"""Names that wildcards may take, and those of the rule files that a user has added."""

NOTHING = "(?!)"  # a pattern that matches no name


def alternatives(names):
    """Pattern that matches exactly the names given."""
    return "|".join(dict.fromkeys(names)) or NOTHING


def datasets():
    return [name for entry in config["problems"].values() for name in entry["datasets"]]


def methods(**wanted):
    """Names of the methods whose entries hold the values wanted."""
    return [name for problem in config["problems"] for name in methods_of(problem, **wanted)]


def methods_of(problem, **wanted):
    """Names of the methods of one problem whose entries hold the values wanted; True stands for any that is not empty."""
    return [
        name
        for name, entry in config["problems"][problem]["methods"].items()
        if all((bool(entry[key]) if isinstance(value, bool) else entry[key]) == value for key, value in wanted.items())
    ]


def with_methods(**wanted):
    """Pattern of the {problem} in {problem}/{dataset}/{method}/, where the entry of the method holds the values wanted.

    It looks ahead, as a name may stand for another kind of method in another problem.
    """
    found = {problem: methods_of(problem, **wanted) for problem in config["problems"]}
    return alternatives(f"{problem}(?=/[^/]+/(?:{alternatives(names)})/)" for problem, names in found.items() if names)


def swept():
    """(problem, dataset, method, seed) of every model that is chosen from the trials of a sweep."""
    return [one for one in units.trainings(config) if config["problems"][one[0]]["methods"][one[2]]["sweep"]]


def shipped_trainings():
    """Pattern of the {problem} in {problem}/{dataset}/{method}/{seed}, of trainings that are taken from weights/."""
    return alternatives(
        f"{problem}(?=/{dataset}/{method}/{seed}\\.)" for problem, dataset, method, seed in shipped_files()
    )


def figure_names(overall=False):
    """Names of the figures of any problem, of one dataset or over all."""
    declared = map(problems.load, config["problems"])
    return [
        name for one in declared for name in (one.summary_figures if overall else one.figures + one.training_figures)
    ]


def answered_in(suffix):
    """Names of the problems whose answers are kept in files of that kind."""
    return [problem for problem in config["problems"] if problems.load(problem).answer.suffix == suffix]


def extra_rules():
    """Rule files of the user's own."""
    return sorted(map(str, Path(workflow.basedir).glob("rules/extra/*.smk")))
