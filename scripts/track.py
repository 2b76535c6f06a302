"""Find and link the spots of a recording and cut a stack around every track."""

from blurbench.logs import logged

with logged(snakemake.log[0], snakemake.threads):
    import importlib

    recording = snakemake.params.recording
    tracks = importlib.import_module(f"blurbench.{recording['problem']}.tracks")
    spots = tracks.track(recording, snakemake.params.spec, snakemake.output.stacks, snakemake.output.manifest)
    spots.to_parquet(snakemake.output.tracks, index=False)
