"""Write every table of one problem."""

from blurbench.files.logs import logged

with logged(snakemake.log[0], snakemake.threads):
    import json
    from pathlib import Path

    from blurbench import problems
    from blurbench.files import checksums, tables
    from blurbench.scoring import scores
    from blurbench.tables import provenance
    from blurbench.tables.settings import Settings
    from blurbench.tables.tabulate import tabulate

    problem, configuration = snakemake.wildcards.problem, snakemake.params.configuration
    found = scores.read(snakemake.input.scores, problems.load(problem).conditions)
    trials = [(*names, file) for names, file in zip(snakemake.params.trials, snakemake.input.trials, strict=True)]
    stated = {name: snakemake.params[name] for name in Settings._fields if name not in ("problem", "trials")}
    given = Settings(**stated, problem=problem, trials=trials)
    made = tabulate(problem, found, given)
    kept = Path(snakemake.output.configuration).name
    about = provenance.about(snakemake.config["run"], snakemake.config["seed"], configuration, kept)
    made = {name: provenance.headed(one, Path(snakemake.output[name]).suffix, about) for name, one in made.items()}
    made |= {"configuration": configuration, "provenance": json.dumps(about, indent=2)}
    for name, content in made.items():
        tables.write(content, snakemake.output[name])
    checksums.write([snakemake.output[name] for name in made], snakemake.output.checksums)
