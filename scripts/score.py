"""Score one predictions file against the truth."""

from blurbench.logs import logged

with logged(snakemake.log[0], snakemake.threads):
    from importlib import import_module

    from blurbench import parquet, predictions
    from blurbench.datasets import Dataset

    problem = snakemake.wildcards.problem
    dataset = Dataset.open(snakemake.input.store)
    package = import_module(f"blurbench.{problem}")
    found = predictions.read(snakemake.input.predictions, len(dataset), package.ANSWER, package.POINTS)
    table = import_module(f"blurbench.{problem}.score").score(dataset, found)
    names = {
        "run": snakemake.config["run"],
        "problem": problem,
        "dataset": snakemake.wildcards.dataset,
        "split": "test",
        "method": snakemake.wildcards.method,
        "kind": snakemake.params.kind,
        "seed": int(snakemake.wildcards.seed),
    }
    parquet.write(table.assign(**names), snakemake.output.scores)
