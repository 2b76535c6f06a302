"""Answers of every method on the test split.

Needs: a dataset's test split, and the model of a method that is trained (a variant uses that of the entry it names).
Makes: predictions/{problem}/{dataset}/{method}/{seed}.parquet; where answers are images .zarr, and its manifest .json.
Read by: score, draw.
A method marked `external` in the configuration is left to a rule in rules/extra/, which may write CSV.
"""


rule predict:
    """Run one method on one test split; an item on which it fails is a row that says so."""
    input:
        store=ancient(STORES),
        manifest=MANIFESTS,
        model=model,
    output:
        predictions=PREDICTIONS[".parquet"],
    log:
        "<results>/logs/predict/{problem}/{dataset}/{method}/{seed}.log",
    benchmark:
        PREDICTION_BENCHMARKS
    wildcard_constraints:
        problem=alternatives(answered_in(".parquet")),
        method=alternatives(methods(external=False)),
    priority: 25  # before what takes seconds: a limit of minutes would run alone at the end
    conda:
        "../envs/learning.yaml"
    threads: config["threads"]["predict"]
    resources:
        mem_mb=memory("predict"),
        runtime=minutes(60),
    params:
        method=entry_of("method"),
        options=options,
        answer=answer,
        library=library("blurbench.running.methods", "blurbench.{problem}.methods.{file}"),
    script:
        "../scripts/predict.py"


rule read_predictions:
    """Answers that a rule of the user's wrote as CSV, checked and kept like any other."""
    input:
        table="<results>/predictions/{problem}/{dataset}/{method}/{seed}.csv",
        manifest=MANIFESTS,
    output:
        predictions=PREDICTIONS[".parquet"],
    log:
        "<results>/logs/read_predictions/{problem}/{dataset}/{method}/{seed}.log",
    wildcard_constraints:
        problem=alternatives(answered_in(".parquet")),
        method=alternatives(methods(external="csv")),
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=memory("score"),
        runtime=minutes(10),
    params:
        library=library("blurbench.files.answers"),
    script:
        "../scripts/read_predictions.py"


use rule predict as predict_images with:
    # Each image is written when it is answered, so that a job holds one at a time.
    output:
        predictions=directory(PREDICTIONS[".zarr"]),
        manifest=PREDICTIONS_MANIFEST,
    wildcard_constraints:
        problem=alternatives(answered_in(".zarr")),
        method=alternatives(methods(external=False)),
