"""Turn a recording into the items that the methods of its problem take, as a dataset without truth."""

from blurbench.files.logs import logged

with logged(snakemake.log[0], snakemake.threads):
    from importlib import import_module

    from blurbench.files import parquet

    recording = snakemake.params.recording
    preparation = import_module(f"blurbench.{recording['problem']}.preparation")
    seen = preparation.prepare(recording, snakemake.params.spec, snakemake.output.store, snakemake.output.manifest)
    parquet.write(seen, snakemake.output.seen)
