"""Write the tables over all problems, and the machine that they were made on."""

from blurbench.files.logs import logged

with logged(snakemake.log[0], snakemake.threads):
    import json
    from pathlib import Path

    from blurbench.running import machine
    from blurbench.tables import published

    Path(snakemake.output.machine).write_text(json.dumps(machine.describe(), indent=2), encoding="utf-8")
    published.write_overview(
        {Path(table).stem: Path(table).with_suffix("") for table in snakemake.input.tables},
        {tuple(key.split("/")): path for key, path in zip(snakemake.params.trainings, snakemake.input.benchmarks)},
        snakemake.output.machine,
        snakemake.output.timing,
        snakemake.output.summary,
    )
