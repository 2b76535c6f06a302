"""End a run: well, or with an error that names each training that raised."""

import json
import sys

from blurbench.files.logs import logged

with logged(snakemake.log[0]):
    from blurbench.files import tables
    from blurbench.tables import not_trained

    known, raised = snakemake.params, tables.read(snakemake.input.not_trained)
    said = f"{len(raised)} of {known.trainings} trainings raised"
    said = "\n".join([said, *not_trained.lines(raised)])
    print(said)
    if raised.empty:
        tables.write(json.dumps({"run": known.run, "trainings": known.trainings}), snakemake.output[0])

if not raised.empty:
    sys.exit(said)  # to where Snakemake runs
