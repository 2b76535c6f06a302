"""Run the methods on the stacks of a recording, and compare them with the ensemble of its tracks."""

from blurbench.logs import logged

with logged(snakemake.log[0], snakemake.threads):
    import importlib

    import pandas as pd

    from blurbench import recordings
    from blurbench.datasets import Dataset

    recording, config = snakemake.params.recording, snakemake.config
    tracks = importlib.import_module(f"blurbench.{recording['problem']}.tracks")
    measurement = importlib.import_module(f"blurbench.{recording['problem']}.measurement")

    spots = pd.read_parquet(snakemake.input.tracks)
    ensemble = tracks.ensemble(spots, recording, config["resamples"], config["seed"])
    ensemble.to_csv(snakemake.output.ensemble, index=False)
    measured = measurement.run(Dataset.open(snakemake.input.stacks), snakemake.params.methods, config["device"])
    measured.to_csv(snakemake.output.tracks, index=False)
    expected = recording.get("expected_D_um2_s")
    table = measurement.summarise(measured, ensemble, expected, config["resamples"], config["seed"])
    table.to_csv(snakemake.output.methods, index=False)
    image = recordings.read(snakemake.input.movie)[0]
    measurement.draw(snakemake.output.figure, image, spots, measured, table, recording)
