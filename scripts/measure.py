"""Run the methods on the items of a recording, and draw what they find."""

from blurbench.files.logs import logged

with logged(snakemake.log[0], snakemake.threads):
    from blurbench import problems
    from blurbench.files import parquet
    from blurbench.files.datasets import Dataset

    recording, config = snakemake.params.recording, snakemake.config
    measure = problems.find(recording["problem"], "measurement.measure")
    draw = problems.find(recording["problem"], "measurement.draw")

    items, survey = Dataset.open(snakemake.input.store), parquet.read(snakemake.input.survey)
    files = iter(snakemake.input.models)  # in the order of the methods; a storage has put them where it wants
    methods = {
        name: {**method, "models": {seed: next(files) for seed in method["models"]}}
        for name, method in snakemake.params.methods.items()
    }
    found = measure(recording, items, survey, methods, config["device"], config["resamples"], config["seed"])
    weights = {name: method["weights"] for name, method in methods.items()}
    found.methods.assign(weights=found.methods["method"].map(weights)).to_csv(snakemake.output.methods, index=False)
    found.details.to_csv(snakemake.output.details, index=False)
    found.reference.to_csv(snakemake.output.reference, index=False)
    draw(snakemake.output.picture, recording, items, survey, found)
