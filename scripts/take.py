"""Take what came of a training from where it is kept."""

from pathlib import Path

from blurbench.files.logs import logged

with logged(snakemake.log[0]):
    from blurbench.running import shipping

    wanted = {ending: Path(made) for ending, made in zip((".pt", ".csv", ".tsv"), snakemake.output)}
    print(shipping.take(Path(snakemake.input.model), wanted))
