"""Run one method on the test split of one dataset."""

from blurbench.files.logs import logged

with logged(snakemake.log[0], snakemake.threads):
    from blurbench.files import predictions
    from blurbench.files.datasets import Dataset
    from blurbench.running import methods

    method = methods.load(snakemake.wildcards.problem, snakemake.params.method, snakemake.params.options)
    dataset = Dataset.open(snakemake.input.store)
    model = next(iter(snakemake.input.get("model", [])), None)
    config = snakemake.config
    found = methods.predict(method, dataset, model, config["device"], config["predict_timeout_s"])
    predictions.write(found, snakemake.output.predictions)
