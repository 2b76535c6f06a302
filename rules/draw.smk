"""Figures, and through their captions and labels the pages of `snakemake --report`.

Needs: scores, also those of the validation split, predictions, test splits, learning curves.
Makes: figures/{problem}/{figure}_{dataset}.svg for the figures that a problem declares, figures/{problem}/{figure}.svg
for its summary_figures, and a .png beside each; figures/{problem}/ranks.svg where there are datasets enough for a test over
them. Read by: people.
"""


rule draw:
    """Draw one figure of one dataset."""
    input:
        scores=files_of_units(SCORES),
        predictions=predictions_of_units,
        predictions_manifests=manifests_of_predictions,
        stores=ancient(files_of_datasets(STORES)),
        manifests=files_of_datasets(MANIFESTS),
        curves=curves,
        validation=validation_scores,
    output:
        figure=report(
            "<results>/figures/{problem}/{figure}_{dataset}.svg",
            caption="captions/figure.rst",
            category="{problem}",
            subcategory="{figure}",
            labels={"figure": "{figure}", "dataset": "{dataset}"},
        ),
        png="<results>/figures/{problem}/{figure}_{dataset}.png",
    log:
        "<results>/logs/draw/{problem}/{figure}_{dataset}.log",
    benchmark:
        "<results>/benchmarks/draw/{problem}/{figure}_{dataset}.tsv"
    wildcard_constraints:
        figure=alternatives(figure_names()),
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(2000),
        runtime=minutes(20),
    params:
        resamples=config["resamples"],
        seed=config["seed"],
        datasets=dataset_entries,
        predictions=names_of_predictions,
        curves=names_of_curves,
        methods=entries_of_curves,
        kinds=kinds,
        item_counts=item_counts,
        reading=reading,
        library=library("blurbench.drawing.material", "blurbench.{problem}.figures.{figure}"),
    script:
        "../scripts/draw.py"


use rule draw as draw_overall with:
    input:
        scores=files_of_units(SCORES),
        predictions=predictions_of_units,
        predictions_manifests=manifests_of_predictions,
        stores=ancient(files_of_datasets(STORES)),
        manifests=files_of_datasets(MANIFESTS),
        curves=curves,
        validation=validation_scores,
    output:
        figure=report(
            "<results>/figures/{problem}/{figure}.svg",
            caption="captions/figure.rst",
            category="{problem}",
            subcategory="{figure}",
            labels={"figure": "{figure}", "dataset": "all"},
        ),
        png="<results>/figures/{problem}/{figure}.png",
    log:
        "<results>/logs/draw/{problem}/{figure}.log",
    benchmark:
        "<results>/benchmarks/draw/{problem}/{figure}.tsv"
    wildcard_constraints:
        figure=alternatives(figure_names(overall=True)),


rule draw_ranks:
    """Draw the average ranks of methods over the datasets of a problem, and which of them differ."""
    input:
        scores=files_of_units(SCORES),
    output:
        figure=report(
            "<results>/figures/{problem}/ranks.svg",
            caption="captions/ranks.rst",
            category="{problem}",
            subcategory="ranks",
            labels={"figure": "ranks", "dataset": "all"},
        ),
        png="<results>/figures/{problem}/ranks.png",
    log:
        "<results>/logs/draw/{problem}/ranks.log",
    benchmark:
        "<results>/benchmarks/draw/{problem}/ranks.tsv"
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(2000),
        runtime=minutes(20),
    params:
        resamples=config["resamples"],
        seed=config["seed"],
        datasets=dataset_entries,
        kinds=kinds,
        compared=datasets_compared,
        library=library(
            "blurbench.drawing.critical_difference",
            "blurbench.{problem}",
            "blurbench.{problem}.score",
        ),
    script:
        "../scripts/draw_ranks.py"
