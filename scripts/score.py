"""Score one predictions file against the truth."""

from blurbench.files.logs import logged

with logged(snakemake.log[0], snakemake.threads):
    from blurbench import problems
    from blurbench.files import parquet
    from blurbench.files.datasets import Dataset
    from blurbench.scoring.score_table import named_mistakes

    problem = snakemake.wildcards.problem
    dataset = Dataset.open(snakemake.input.store)
    found = problems.load(problem).answer.read(snakemake.input.predictions, len(dataset))
    table = named_mistakes(problems.find(problem, "score.score")(dataset, found), dataset)
    names = {
        "run": snakemake.config["run"],
        "problem": problem,
        "dataset": snakemake.wildcards.dataset,
        "split": "test",
        "method": snakemake.wildcards.method,
        "kind": snakemake.params.kind,
        "seed": int(snakemake.wildcards.seed),
    }
    parquet.write(table.assign(**names), snakemake.output.scores)
