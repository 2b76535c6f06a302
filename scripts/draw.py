"""Draw one figure, of one dataset or over all of them."""

from blurbench.files.logs import logged

with logged(snakemake.log[0], snakemake.threads):
    from blurbench import problems
    from blurbench.drawing.material import Material, MethodFile
    from blurbench.files.datasets import Dataset

    def named(files, names):
        return [MethodFile(*name, file) for name, file in zip(names, files, strict=True)]

    files, known = snakemake.input, snakemake.params
    dataset = snakemake.wildcards.get("dataset")
    given = Material(
        resamples=known.resamples,
        seed=known.seed,
        scores=files.scores,
        predictions=named(files.predictions, known.predictions),
        curves=named(files.curves, known.curves),
        validation=files.validation,
        methods=known.methods,
        kinds=known.kinds,
        store=Dataset.open(files.stores[0]) if dataset else None,
        datasets=known.datasets,
        dataset=dataset,
    )
    draw = problems.find(snakemake.wildcards.problem, f"figures.{snakemake.wildcards.figure}.draw")
    draw(snakemake.output.figure, given)
