"""Simulate one split of a dataset."""

from blurbench.files.logs import logged

with logged(snakemake.log[0], snakemake.threads):
    from blurbench.running import simulation

    simulation.simulate(
        snakemake.wildcards.problem,
        snakemake.wildcards.dataset,
        snakemake.wildcards.split,
        snakemake.params.spec,
        snakemake.params.seed,
        snakemake.output.store,
        snakemake.output.manifest,
    )
