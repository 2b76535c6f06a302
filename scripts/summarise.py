"""Write the tables over all problems, and the machine that they were made on."""

from blurbench.logs import logged

with logged(snakemake.log[0], snakemake.threads):
    import json
    from pathlib import Path

    from blurbench import machine, tables

    Path(snakemake.output.machine).write_text(json.dumps(machine.describe(), indent=2), encoding="utf-8")
    tables.write_overview(
        {Path(table).stem: Path(table).with_suffix("") for table in snakemake.input.tables},
        {tuple(key.split("/")): path for key, path in zip(snakemake.params.trainings, snakemake.input.benchmarks)},
        snakemake.output.machine,
        snakemake.output.timing,
        snakemake.output.summary,
    )
