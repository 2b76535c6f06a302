"""Choose among the trials of a sweep."""

from blurbench.files.logs import logged

with logged(snakemake.log[0], snakemake.threads):
    from blurbench.files import tables
    from blurbench.running import sweep

    files, made = snakemake.input, snakemake.output
    tables.write(sweep.choose(snakemake.params.values, files.models, files.curves, made.model, made.curve), made.trials)
