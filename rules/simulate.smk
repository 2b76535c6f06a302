"""Simulated images with known truth.

Needs: the dataset's entry in the configuration. Makes: datasets/{problem}/{dataset}/{split}.zarr and its manifest.
Read by: train, predict, score, draw. The manifest holds the checksum of the arrays and stands for the store, whose inside
Snakemake cannot see: a store simulated anew with the same content makes nothing run again.
"""


rule simulate:
    """Draw one split of a dataset; the same configuration and seed give the same arrays on any machine."""
    input:
        files=dataset_files,
    output:
        store=directory("<results>/datasets/{problem}/{dataset}/{split}.zarr"),
        manifest="<results>/datasets/{problem}/{dataset}/{split}.json",
    log:
        "<results>/logs/simulate/{problem}/{dataset}/{split}.log",
    benchmark:
        "<results>/benchmarks/simulate/{problem}/{dataset}/{split}.tsv"
    priority: 50  # first what others wait for
    conda:
        "../envs/base.yaml"
    threads: config["threads"]["simulate"]
    resources:
        mem_mb=memory("simulate"),
        runtime=minutes(60),
    params:
        spec=spec,
        seed=config["seed"],
        library=library("blurbench.running.simulation", "blurbench.{problem}.simulate"),
    script:
        "../scripts/simulate.py"
