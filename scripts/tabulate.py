"""Write every table of one problem."""

from blurbench.files.logs import logged

with logged(snakemake.log[0], snakemake.threads):
    from blurbench import problems
    from blurbench.files import checksums, tables
    from blurbench.scoring import scores
    from blurbench.tables.settings import Settings
    from blurbench.tables.tabulate import tabulate

    problem = snakemake.wildcards.problem
    found = scores.read(snakemake.input.scores, problems.load(problem).conditions)
    trials = [(*names, file) for names, file in zip(snakemake.params.trials, snakemake.input.trials, strict=True)]
    stated = {name: snakemake.params[name] for name in Settings._fields if name not in ("problem", "trials")}
    given = Settings(**stated, problem=problem, trials=trials)
    made = tabulate(problem, found, given)
    for name, content in made.items():
        tables.write(content, snakemake.output[name])
    checksums.write([snakemake.output[name] for name in made], snakemake.output.checksums)
