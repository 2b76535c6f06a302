"""Scores on the validation split, of all methods of a dataset on which networks are trained.

Needs: the validation split, and the models of the methods that are trained. Makes: validation/{problem}/{dataset}.parquet.
Read by: draw, for the figure of error against training cost. One job a dataset: a process for each method would cost more
than its work.
"""


rule validate:
    """Run and score all methods of one dataset on its validation split."""
    input:
        store=ancient("<results>/datasets/{problem}/{dataset}/validation.zarr"),
        manifest="<results>/datasets/{problem}/{dataset}/validation.json",
        models=validated_models,
    output:
        scores=VALIDATION,
    log:
        "<results>/logs/validate/{problem}/{dataset}.log",
    benchmark:
        "<results>/benchmarks/validate/{problem}/{dataset}.tsv"
    priority: 25  # as predict: it takes a minute
    conda:
        "../envs/learning.yaml"
    threads: config["threads"]["predict"]
    resources:
        mem_mb=validation_memory,
        runtime=minutes(120),
    params:
        methods=validated_methods,  # name -> {method, kind, options, models: {training seed: path}}
        library=validation_library,
    script:
        "../scripts/validate.py"
