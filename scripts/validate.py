"""Score every method of one dataset on its validation split."""

from blurbench.files.logs import logged

with logged(snakemake.log[0], snakemake.threads):
    from blurbench.files import parquet
    from blurbench.files.datasets import Dataset
    from blurbench.running.validation import validate

    files, config = iter(snakemake.input.models), snakemake.config  # in the order of the methods
    methods = {
        name: {**method, "models": {seed: next(files) for seed in method["models"]}}
        for name, method in snakemake.params.methods.items()
    }
    table = validate(
        snakemake.wildcards.problem,
        Dataset.open(snakemake.input.store),
        methods,
        config["device"],
        config["predict_timeout_s"],
    )
    parquet.write(table.assign(run=config["run"]), snakemake.output.scores)
