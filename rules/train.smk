"""Weights of the methods that learn, and settings of the classical ones that choose theirs on the validation split.

Needs: the train and validation splits of a dataset. Makes: models/{problem}/{dataset}/{method}/{seed}.pt, with the learning
curve beside it. Read by: predict, draw, measure.
"""


rule train:
    """Train one method with one seed; a job that is tried again goes on from its checkpoint."""
    input:
        train=ancient("<results>/datasets/{problem}/{dataset}/train.zarr"),
        train_manifest="<results>/datasets/{problem}/{dataset}/train.json",
        validation=ancient("<results>/datasets/{problem}/{dataset}/validation.zarr"),
        validation_manifest="<results>/datasets/{problem}/{dataset}/validation.json",
    output:
        model=MODELS,
        curve="<results>/models/{problem}/{dataset}/{method}/{seed}.csv",
    log:
        "<results>/logs/train/{problem}/{dataset}/{method}/{seed}.log",
    benchmark:
        "<results>/benchmarks/train/{problem}/{dataset}/{method}/{seed}.tsv"
    wildcard_constraints:
        method=alternatives(trained("learned")),
    priority: 100  # the longest jobs begin as soon as they can
    conda:
        "../envs/learning.yaml"
    threads: config["threads"]["train"]
    resources:
        gpu=gpus,
        mem_mb=memory("train"),
        runtime=minutes(480),
    params:
        method=entry_of("method"),
        options=entry_of("options"),
        budget=entry_of("budget"),
        checkpoint=checkpoint_file,
        library=library("blurbench.learning.training", "blurbench.{problem}.methods.{file}"),
    script:
        "../scripts/train.py"


use rule train as train_classical with:
    # A rule of its own, as it wants no GPU: whatever is said of `train`, be it a partition or a node pool, holds for networks.
    wildcard_constraints:
        method=alternatives(trained("classical")),
    resources:
        mem_mb=memory("train"),
        runtime=minutes(480),
