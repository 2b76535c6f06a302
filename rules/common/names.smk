"""Names that wildcards may take, and those of the rule files that a user has added."""

NOTHING = "(?!)"  # a pattern that matches no name


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
