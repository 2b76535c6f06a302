"""Run one method on the test split of one dataset."""

from blurbench.files.logs import logged

with logged(snakemake.log[0], snakemake.threads):
    from blurbench.files.datasets import Dataset
    from blurbench.running import methods

    model = next(iter(snakemake.input.get("model", [])), None)
    methods.predict(
        methods.load(snakemake.wildcards.problem, snakemake.params.method, snakemake.params.options, model),
        Dataset.open(snakemake.input.store),
        model=model,
        device=snakemake.config["device"],
        timeout_s=snakemake.config["predict_timeout_s"],
        path=snakemake.output.predictions,
    )
