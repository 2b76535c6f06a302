"""Run the methods on the items of a recording, and draw what they find."""

from blurbench.files.logs import logged

with logged(snakemake.log[0], snakemake.threads):
    from importlib import import_module

    from blurbench.files import parquet
    from blurbench.files.datasets import Dataset

    recording, config = snakemake.params.recording, snakemake.config
    measurement = import_module(f"blurbench.{recording['problem']}.measurement")

    items, seen = Dataset.open(snakemake.input.store), parquet.read(snakemake.input.seen)
    files = iter(snakemake.input.models)  # in the order of the methods; a storage has put them where it wants
    methods = {
        name: {**method, "models": [next(files) for _ in method["models"]]}
        for name, method in snakemake.params.methods.items()
    }
    found = measurement.measure(recording, items, seen, methods, config["device"], config["resamples"], config["seed"])
    found.methods.to_csv(snakemake.output.methods, index=False)
    found.details.to_csv(snakemake.output.details, index=False)
    found.reference.to_csv(snakemake.output.reference, index=False)
    measurement.draw(snakemake.output.picture, recording, items, seen, found)
