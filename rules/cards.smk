"""Data cards and method cards.

Needs: the manifests of all splits, the published tables, tables/timing.csv, the figures that show items.
Makes: cards/{problem}.html. Read by: people.
"""


rule cards:
    """What every dataset contains and what every method is, of all problems: a start of Python costs more than a card."""
    input:
        manifests=[file for *_, file in manifests_of_splits()],
        pictures=[file for *_, file in pictures_of_datasets()],
        tables=collect("<results>/tables/{problem}.csv", problem=config["problems"]),
        failures=collect("<results>/tables/{problem}_failures.csv", problem=config["problems"]),
        mistakes=[
            f"<results>/tables/{name}_mistakes.csv" for name in config["problems"] if "mistakes" in tables_beside(name)
        ],
        timing="<results>/tables/timing.csv",
        not_trained="<results>/tables/not_trained.csv",
    output:
        [
            report(
                f"<results>/cards/{name}.html",
                caption="captions/cards.rst",
                category=name,
                labels={"table": "cards", "format": "page"},
            )
            for name in config["problems"]
        ],
    log:
        "<results>/logs/cards.log",
    benchmark:
        "<results>/benchmarks/cards.tsv"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(2000),
        runtime=minutes(10),
    params:
        problems=config["problems"],
        training_seeds=config["training_seeds"],
        manifests=[names for *names, _ in manifests_of_splits()],
        pictures=[names for *names, _ in pictures_of_datasets()],
        mistakes=[name for name in config["problems"] if "mistakes" in tables_beside(name)],
        seed=config["seed"],
        descriptions=descriptions_of_methods,
        library=sources.state(
            "blurbench.tables.cards",
            "blurbench.files.tables",
            *(f"blurbench.{name}.score" for name in config["problems"]),
        ),
    script:
        "../scripts/cards.py"
