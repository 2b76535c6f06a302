"""Scores per item, the only thing between computing and reporting.

Needs: predictions and the truth of the test split. Makes: scores/{problem}/{dataset}/{method}/{seed}.parquet, one row per
item and metric. Read by: tabulate, draw.
"""


rule score:
    """Judge one predictions file; an item that was not predicted keeps its row, with the reason."""
    input:
        store=ancient(STORES),
        manifest=MANIFESTS,
        predictions=predictions,
        predictions_manifest=predictions_manifest,
    output:
        scores=SCORES,
    log:
        "<results>/logs/score/{problem}/{dataset}/{method}/{seed}.log",
    benchmark:
        "<results>/benchmarks/score/{problem}/{dataset}/{method}/{seed}.tsv"
    priority: 10  # tables before figures, of which there are many to run beside a table
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=memory("score"),
        runtime=minutes(30),
    params:
        kind=entry_of("kind"),
        library=library("blurbench.files.datasets", "blurbench.files.answers", "blurbench.{problem}.score"),
    script:
        "../scripts/score.py"
