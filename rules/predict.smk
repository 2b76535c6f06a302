"""Answers of every method on the test split.

Needs: a dataset's test split, and the model of a method that is trained (a variant uses that of the entry it names).
Makes: predictions/{problem}/{dataset}/{method}/{seed}.parquet. Read by: score.
A method marked `external` in the configuration is left to a rule in rules/extra/.
"""


rule predict:
    """Run one method on one test split; an item on which it fails is a row that says so."""
    input:
        store=ancient(STORES),
        manifest=MANIFESTS,
        model=model,
    output:
        predictions=PREDICTIONS,
    log:
        "<results>/logs/predict/{problem}/{dataset}/{method}/{seed}.log",
    benchmark:
        "<results>/benchmarks/predict/{problem}/{dataset}/{method}/{seed}.tsv"
    wildcard_constraints:
        method=alternatives(methods(external=False)),
    conda:
        "../envs/learning.yaml"
    threads: config["threads"]["predict"]
    resources:
        mem_mb=memory("predict"),
        runtime=minutes(60),
    params:
        method=entry_of("method"),
        options=entry_of("options"),
        library=library(
            "blurbench.files.predictions", "blurbench.running.methods", "blurbench.{problem}.methods.{file}"
        ),
    script:
        "../scripts/predict.py"
