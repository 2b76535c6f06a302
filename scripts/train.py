"""Train one method on one dataset with one seed."""

from blurbench.files.logs import logged

with logged(snakemake.log[0], snakemake.threads):
    from blurbench.learning import training
    from blurbench.running import failed_training

    given, known, made = snakemake.input, snakemake.params, snakemake.output
    about = {"method": known.method, "options": known.options, "seed": int(snakemake.wildcards.seed)}
    files = {"model": made.model, "curve": made.curve, "checkpoint": known.checkpoint}
    with failed_training.told(about, **files, history=known.history):
        training.fit(
            problem=snakemake.wildcards.problem,
            budget=known.budget,
            train_store=given.train,
            validation_store=given.validation,
            device=snakemake.config["device"],
            threads=snakemake.threads,
            **about,
            **files,
        )
