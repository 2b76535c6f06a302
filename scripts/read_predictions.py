"""Read the answers that a rule of the user's wrote as CSV, and keep them like any other."""

from blurbench.files.logs import logged

with logged(snakemake.log[0], snakemake.threads):
    import json
    from pathlib import Path

    from blurbench import problems
    from blurbench.files import parquet

    items = json.loads(Path(snakemake.input.manifest).read_text(encoding="utf-8"))["items"]
    answer = problems.load(snakemake.wildcards.problem).answer
    parquet.write(answer.read(snakemake.input.table, items), snakemake.output.predictions)
