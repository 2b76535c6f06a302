"""What a run makes: the inputs of the rule `complete`."""

PICTURES = ("svg", "png")


def tables():
    """Every table of every problem."""
    main = collect(
        "<results>/tables/{problem}{ending}",
        problem=config["problems"],
        ending=[".csv", ".md", ".html", ".tex", "_pairs.csv"],
    )
    extra = [f"<results>/tables/{problem}_{table}.{end}" for problem, table in extra_tables() for end in ("csv", "md")]
    return main + extra


def cards():
    """The cards of every problem."""
    return collect("<results>/cards/{problem}.html", problem=config["problems"])


def figures():
    """Every figure of every problem."""
    found, trained = [], {(problem, dataset) for problem, dataset, _, _ in units.trainings(config)}
    for problem, entry in config["problems"].items():
        declared = problems.load(problem)
        for dataset, data in entry["datasets"].items():
            if data["models"] != dataset:
                continue  # stands in the figures over all datasets, beside the one whose models it uses
            names = declared.figures + declared.training_figures * ((problem, dataset) in trained)
            found += collect(
                "<results>/figures/{problem}/{figure}_{dataset}.{end}",
                problem=problem,
                figure=names,
                dataset=dataset,
                end=PICTURES,
            )
        overall = declared.summary_figures + ("ranks",) * compared_datasets.enough(entry)
        found += collect("<results>/figures/{problem}/{figure}.{end}", problem=problem, figure=overall, end=PICTURES)
    return found


def recordings():
    """What `measure` makes for every recording."""
    files = ["methods.csv", "details.csv", "reference.csv", *(f"picture.{end}" for end in PICTURES)]
    return collect("<results>/recordings/{recording}/{file}", recording=config["recordings"], file=files)
