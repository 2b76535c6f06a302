"""Train one method on one dataset with one seed."""

from blurbench.files.logs import logged

with logged(snakemake.log[0], snakemake.threads):
    from blurbench.learning import training

    training.fit(
        problem=snakemake.wildcards.problem,
        method=snakemake.params.method,
        options=snakemake.params.options,
        budget=snakemake.params.budget,
        train_store=snakemake.input.train,
        validation_store=snakemake.input.validation,
        seed=int(snakemake.wildcards.seed),
        device=snakemake.config["device"],
        threads=snakemake.threads,
        model=snakemake.output.model,
        curve=snakemake.output.curve,
        checkpoint=snakemake.params.checkpoint,
    )
