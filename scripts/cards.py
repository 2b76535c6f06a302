"""Write the cards of every problem's datasets and methods."""

from blurbench.files.logs import logged

with logged(snakemake.log[0]):
    import json
    from pathlib import Path

    from blurbench.files import tables
    from blurbench.tables import cards

    params, files = snakemake.params, snakemake.input
    manifests = {
        tuple(names): json.loads(Path(path).read_text(encoding="utf-8"))
        for names, path in zip(params.manifests, files.manifests, strict=True)
    }
    pictures = {tuple(names): path for names, path in zip(params.pictures, files.pictures, strict=True)}
    mistakes = dict(zip(params.mistakes, map(tables.read, files.mistakes), strict=True))
    timing, not_trained = tables.read(files.timing), tables.read(files.not_trained)
    config = {"problems": params.problems, "training_seeds": params.training_seeds, "seed": params.seed}
    for problem, main, failures, page in zip(
        params.problems, files.tables, files.failures, snakemake.output, strict=True
    ):
        found = cards.Found(
            scores=tables.read(main),
            failures=tables.read(failures),
            timing=timing[timing.problem == problem],
            not_trained=not_trained[not_trained.problem == problem],
            mistakes=mistakes.get(problem),
            manifests={names[1:]: one for names, one in manifests.items() if names[0] == problem},
            pictures={dataset: path for (name, dataset), path in pictures.items() if name == problem},
            descriptions=params.descriptions[problem],
        )
        tables.write(cards.document(config, problem, found, Path(page).parent), page)
