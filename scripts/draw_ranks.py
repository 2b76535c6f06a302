"""Draw the average ranks of methods over the datasets of a problem."""

from blurbench.files.logs import logged

with logged(snakemake.log[0], snakemake.threads):
    from blurbench.drawing import critical_difference
    from blurbench.drawing.material import Material

    known = snakemake.params
    given = Material(
        resamples=known.resamples,
        seed=known.seed,
        scores=snakemake.input.scores,
        kinds=known.kinds,
        datasets=known.datasets,
    )
    critical_difference.draw(snakemake.output.figure, snakemake.wildcards.problem, given)
