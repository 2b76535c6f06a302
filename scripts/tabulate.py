"""Write every table of one problem."""

from blurbench.files.logs import logged

with logged(snakemake.log[0], snakemake.threads):
    from pathlib import Path

    from blurbench.tables import published

    published.write(
        snakemake.wildcards.problem,
        snakemake.input.scores,
        Path(snakemake.output.csv).with_suffix(""),
        snakemake.params.resamples,
        snakemake.params.seed,
        snakemake.params.datasets,
    )
