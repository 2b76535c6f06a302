"""Draw one figure, of one dataset or over all of them."""

from blurbench.logs import logged

with logged(snakemake.log[0], snakemake.threads):
    from importlib import import_module

    dataset = snakemake.wildcards.get("dataset")
    import_module(f"blurbench.{snakemake.wildcards.problem}.figures").draw(
        snakemake.wildcards.figure,
        snakemake.output.figure,
        scores=snakemake.input.scores,
        store=snakemake.input.stores[0] if dataset else None,
        curves=snakemake.input.curves,
        datasets=snakemake.params.cues,
        dataset=dataset,
    )
