"""Weights of the methods that learn, and settings of the classical ones that choose theirs on the validation split.

Needs: the train and validation splits of a dataset. Makes: models/{problem}/{dataset}/{method}/{seed}.pt, with the learning
curve beside it; of a method that is swept, trials/{trial}/{seed}.pt with theirs, of which one is chosen.
Where the configuration says `weights: shipped`, what came of the very same training may be taken from weights/ instead.
Read by: predict, draw, tabulate, measure.
A training that raises leaves a model that says so, which answers nothing, and a line in raised/{problem}/{dataset}/{method}/.
"""


rule train:
    """Train one method with one seed; a job that is tried again goes on from its checkpoint.

    A training that raised is tried again by the next run, as `raised` has changed then.
    """
    input:
        train=ancient("<results>/datasets/{problem}/{dataset}/train.zarr"),
        train_manifest="<results>/datasets/{problem}/{dataset}/train.json",
        validation=ancient("<results>/datasets/{problem}/{dataset}/validation.zarr"),
        validation_manifest="<results>/datasets/{problem}/{dataset}/validation.json",
    output:
        model=MODELS,
        curve=CURVES,
    log:
        "<results>/logs/train/{problem}/{dataset}/{method}/{seed}.log",
    benchmark:
        "<results>/benchmarks/train/{problem}/{dataset}/{method}/{seed}.tsv"
    wildcard_constraints:
        problem=with_methods(network=True, trains=True, sweep=False),
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
        options=trial("options"),
        budget=trial("budget"),
        checkpoint=checkpoint_file,
        history=history_file,
        raised=times_raised,
        library=library("blurbench.learning.training", "blurbench.{problem}.methods.{file}"),
    script:
        "../scripts/train.py"


use rule train as train_without_gpu with:
    # What is no network. A rule of its own, as it wants no GPU: whatever is said of `train`, be it a partition or a node pool, holds for networks.
    wildcard_constraints:
        problem=with_methods(network=False, trains=True, sweep=False),
    resources:
        mem_mb=memory("train"),
        runtime=minutes(480),


use rule train as train_trial with:
    # One combination of the values of a sweep.
    output:
        model=TRIAL_MODELS,
        curve=TRIAL_CURVES,
    log:
        "<results>/logs/train/{problem}/{dataset}/{method}/trials/{trial}/{seed}.log",
    benchmark:
        "<results>/benchmarks/train/{problem}/{dataset}/{method}/trials/{trial}/{seed}.tsv"
    wildcard_constraints:
        problem=with_methods(trains=True, sweep=True),


rule take:
    """Take what came of the very same training, made before or elsewhere; no training item is drawn for it."""
    input:
        model=shipped_model,
    output:
        model=MODELS,
        curve=CURVES,
        benchmark="<results>/benchmarks/train/{problem}/{dataset}/{method}/{seed}.tsv",
    log:
        "<results>/logs/train/{problem}/{dataset}/{method}/{seed}.log",
    wildcard_constraints:
        problem=shipped_trainings(),
    priority: 100
    localrule: True
    conda:
        "../envs/base.yaml"
    threads: 1
    params:
        library=sources.state("blurbench.running.shipping"),
    script:
        "../scripts/take.py"


ruleorder: take > train
ruleorder: take > train_without_gpu


rule choose:
    """Take the network of the trial with the least validation loss, for each training seed by itself."""
    input:
        models=trials_of(TRIAL_MODELS),
        curves=trials_of(TRIAL_CURVES),
    output:
        model=MODELS,
        curve=CURVES,
        trials=TRIALS,
    log:
        "<results>/logs/choose/{problem}/{dataset}/{method}/{seed}.log",
    benchmark:
        "<results>/benchmarks/choose/{problem}/{dataset}/{method}/{seed}.tsv"
    wildcard_constraints:
        problem=with_methods(trains=True, sweep=True),
    priority: 100
    conda:
        "../envs/base.yaml"
    threads: 1
    resources:
        mem_mb=megabytes(1000),
        runtime=minutes(10),
    params:
        values=values_of_trials,
        library=sources.state("blurbench.running.sweep"),
    script:
        "../scripts/choose.py"
