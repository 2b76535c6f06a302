"""Write the tables over all problems, and the machine that they were made on."""

from blurbench.files.logs import logged

with logged(snakemake.log[0], snakemake.threads):
    import json
    from pathlib import Path

    import pandas as pd

    from blurbench.files import checksums, tables
    from blurbench.running import machine
    from blurbench.tables import first_page, not_trained, provenance, summary, summary_page, timing

    here, params, files = machine.describe(), snakemake.params, snakemake.input
    results = {
        problem: summary.Results(*map(tables.read, paths), extra={}, over_datasets=params.over_datasets[problem])
        for problem, *paths in zip(params.problems, files.tables, files.pairs, files.failures, strict=True)
    }
    for (problem, name), path in zip(params.extra, files.extra, strict=True):
        results[problem].extra[name] = tables.read(path)
    scores = pd.concat(found.main for found in results.values())
    raised = not_trained.table(params.trainings, files.models, params.logs)
    predicted = files.predicted, params.predictions
    times = timing.table(scores, *predicted, params.trainings, files.curves, files.benchmarks, here)
    kept, known = Path(snakemake.output.configuration).name, (snakemake.config["run"], snakemake.config["seed"])
    about = provenance.about(*known, params.configuration, kept)
    terms = summary_page.about(*known, [*params.layers, provenance.configuration(about)], here)
    said = not_trained.lines(raised)
    made = {
        "timing": times,
        "summary": provenance.headed(summary.document(results, raised), ".md", about),
        "page": summary_page.document(terms, results, times, said),
        "first_page": first_page.document(terms, results, said),
        "not_trained": raised,
        "methods": pd.DataFrame(params.methods).assign(run=known[0], seed=known[1], commit=about["commit"]),
        "configuration": params.configuration,
        "provenance": json.dumps(about, indent=2),
    }
    for name, content in made.items():
        tables.write(content, snakemake.output[name])
    checksums.write([snakemake.output[name] for name in made], snakemake.output.checksums)
    tables.write(json.dumps(here, indent=2), snakemake.output.machine)
