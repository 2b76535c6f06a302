"""Draw one figure, of one dataset or over all of them."""

from blurbench.files.logs import logged

with logged(snakemake.log[0], snakemake.threads):
    from importlib import import_module

    from blurbench.drawing.style import Material

    dataset = snakemake.wildcards.get("dataset")
    given = Material(
        scores=snakemake.input.scores,
        predictions=snakemake.input.predictions,
        store=snakemake.input.stores[0] if dataset else None,
        curves=snakemake.input.curves,
        datasets=snakemake.params.datasets,
        dataset=dataset,
    )
    drawing = import_module(f"blurbench.{snakemake.wildcards.problem}.figures")
    drawing.draw(snakemake.wildcards.figure, snakemake.output.figure, given)
