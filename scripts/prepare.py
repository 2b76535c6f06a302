"""Turn a recording into the items that the methods of its problem take, as a dataset without truth."""

from blurbench.files.logs import logged

with logged(snakemake.log[0], snakemake.threads):
    from blurbench import problems
    from blurbench.files import parquet

    recording, made = snakemake.params.recording, snakemake.output
    prepare = problems.find(recording["problem"], "preparation.prepare")
    survey = prepare(recording, snakemake.params.spec, made.store, made.manifest)
    parquet.write(survey, made.survey)
