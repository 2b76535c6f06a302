"""Published tables.

Needs: the scores of every dataset, method and seed. Makes: tables/{problem}.csv .md .html .tex, {problem}_pairs.csv (paired
differences), {problem}_failures.csv, the extra tables that a problem declares, {problem}_sweep.csv .md where something is
swept; tables/timing.csv, tables/summary.md, tables/summary.html, tables/summary.rst (the first page of the report),
tables/not_trained.csv (trainings that raised), tables/methods.csv (what each method was) and machine.json over all problems;
beside the tables of a problem, and beside those over all, {problem}.yaml and summary.yaml (the configuration), {problem}.json
and summary.json (where they come from), {problem}.sha256 and summary.sha256, by which `make check` knows a file of these that was altered.
Read by: complete, people, README.md, docs/results, and `make reproduce`.
"""

for name in config["problems"]:

    # One rule per problem, as the extra tables of problems differ.
    rule:
        name:
            f"tabulate_{name}"
        input:
            scores=files_of_units(SCORES),
            trials=tables_of_trials,
        output:
            **{
                f"{table}_csv": report(
                    f"<results>/tables/{{problem}}_{table}.csv",
                    caption="captions/extra_table.rst",
                    category="{problem}",
                    subcategory="tables",
                    labels={"table": table, "format": "csv"},
                )
                for table in tables_beside(name)
            },
            **{f"{table}_md": f"<results>/tables/{{problem}}_{table}.md" for table in tables_beside(name)},
            csv=report(
                "<results>/tables/{problem}.csv",
                caption="captions/table.rst",
                category="{problem}",
                subcategory="tables",
                labels={"table": "scores", "format": "csv"},
            ),
            md="<results>/tables/{problem}.md",
            html=report(
                "<results>/tables/{problem}.html",
                caption="captions/page.rst",
                category="{problem}",
                subcategory="tables",
                labels={"table": "all, to sort", "format": "page"},
            ),
            tex="<results>/tables/{problem}.tex",
            pairs=report(
                "<results>/tables/{problem}_pairs.csv",
                caption="captions/pairs.rst",
                category="{problem}",
                subcategory="tables",
                labels={"table": "paired differences", "format": "csv"},
            ),
            failures=report(
                "<results>/tables/{problem}_failures.csv",
                caption="captions/failures.rst",
                category="{problem}",
                subcategory="tables",
                labels={"table": "failures", "format": "csv"},
            ),
            configuration="<results>/tables/{problem}.yaml",
            provenance="<results>/tables/{problem}.json",
            checksums="<results>/tables/{problem}.sha256",
        log:
            "<results>/logs/tabulate/{problem}.log",
        benchmark:
            "<results>/benchmarks/tabulate/{problem}.tsv"
        wildcard_constraints:
            problem=name,
        priority: 10  # before figures, of which there are many to run beside a table
        conda:
            "../envs/base.yaml"
        threads: 1
        resources:
            mem_mb=megabytes(4000),
            runtime=minutes(60),
        params:
            resamples=config["resamples"],
            seed=config["seed"],
            datasets=dataset_entries,
            trials=names_of_trials,
            compare_with=config["problems"][name]["compare_with"],
            item_counts=item_counts,
            bounds=[method for method, one in config["problems"][name]["methods"].items() if one["bound"]],
            configuration=configuration_of_problem,
            library=library(
                "blurbench.tables.tabulate",
                "blurbench.tables.provenance",
                "blurbench.files.tables",
                "blurbench.{problem}",
                "blurbench.{problem}.score",
                *(f"blurbench.{name}.tables.{table}" for table in problems.load(name).tables),
            ),
        script:
            "../scripts/tabulate.py"


rule summarise:
    """Best methods, limits and failures over all problems; time and memory with the machine they were measured on."""
    input:
        tables=collect("<results>/tables/{problem}.csv", problem=config["problems"]),
        pairs=collect("<results>/tables/{problem}_pairs.csv", problem=config["problems"]),
        failures=collect("<results>/tables/{problem}_failures.csv", problem=config["problems"]),
        extra=[f"<results>/tables/{problem}_{table}.csv" for problem, table in extra_tables()],
        predicted=prediction_benchmarks(),
        models=training_models,
        curves=training_curves(),
        benchmarks=training_benchmarks(),
    output:
        timing=report(
            "<results>/tables/timing.csv",
            caption="captions/timing.rst",
            category="all problems",
            labels={"table": "timing", "format": "csv"},
        ),
        summary=report(
            "<results>/tables/summary.md",
            caption="captions/summary.rst",
            category="all problems",
            labels={"table": "summary", "format": "Markdown"},
        ),
        page=report(
            "<results>/tables/summary.html",
            caption="captions/summary.rst",
            category="all problems",
            labels={"table": "summary, to sort and filter", "format": "page"},
        ),
        first_page="<results>/tables/summary.rst",
        not_trained=report(
            "<results>/tables/not_trained.csv",
            caption="captions/not_trained.rst",
            category="all problems",
            labels={"table": "trainings that raised", "format": "csv"},
        ),
        methods=report(
            "<results>/tables/methods.csv",
            caption="captions/methods.rst",
            category="all problems",
            labels={"table": "methods as they were", "format": "csv"},
        ),
        configuration="<results>/tables/summary.yaml",
        provenance="<results>/tables/summary.json",
        checksums="<results>/tables/summary.sha256",
        machine=report(
            "<results>/machine.json",
            caption="captions/machine.rst",
            category="all problems",
            labels={"table": "machine and versions", "format": "JSON"},
        ),
    log:
        "<results>/logs/summarise.log",
    benchmark:
        "<results>/benchmarks/summarise.tsv"
    priority: 10
    conda:
        "../envs/learning.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(2000),
        runtime=minutes(10),
    params:
        problems=list(config["problems"]),
        extra=extra_tables(),
        over_datasets=over_datasets,
        predictions=prediction_jobs(),
        trainings=trainings(),
        logs=training_logs,
        methods=method_states,
        configuration=configuration_of_all,
        layers=configuration_files(),
        library=sources.state(
            "blurbench.tables.first_page",
            "blurbench.tables.provenance",
            "blurbench.tables.summary",
            "blurbench.tables.summary_page",
            "blurbench.tables.timing",
            "blurbench.files.tables",
            "blurbench.running.machine",
        ),
    script:
        "../scripts/summarise.py"
