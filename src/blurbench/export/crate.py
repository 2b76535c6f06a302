"""A finished run as a Workflow Run RO-Crate: a zip archive that says in JSON-LD what is in it and how it was made.

https://w3id.org/ro/wfrun/workflow/0.5. In it are the workflow, the configuration, the scores and what was made of them.
Datasets are left out, as the workflow draws the same again, and so are models and answers, which are large.
"""

from datetime import UTC, datetime
from pathlib import Path

from blurbench.export import finished
from blurbench.files import atomic
from blurbench.running import machine
from blurbench.tables.provenance import SHOWN, line

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
PARAMETER, COMPUTATION = (
    f"https://bioschemas.org/profiles/{name}/1.0-RELEASE" for name in ("FormalParameter", "ComputationalWorkflow")
)
LICENSE = "https://spdx.org/licenses/BSD-3-Clause"
WORKFLOW = ("rules", "scripts", "src", "config", "envs", "slurm", "pyproject.toml", "requirements.lock", "LICENSE")
CONFIGURATION = "tables/summary.yaml"
MADE = ("tables/*", "figures/*/*.svg", "recordings/*/*.csv", "recordings/*/*.svg", "machine.json", finished.COMPLETE)
SCORES = ("scores/*/*/*/*.parquet", "validation/*/*.parquet")
TYPES = {
    ".csv": "text/csv",
    ".md": "text/markdown",
    ".html": "text/html",
    ".tex": "application/x-tex",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".yaml": "application/yaml",
    ".parquet": "application/vnd.apache.parquet",
}
TEXT = "text/plain"  # of code and of all other files, which are texts too


class CrateError(ValueError):
    """A run that this working tree cannot describe."""


def write(results: Path, path: Path, tree: Path = machine.TREE) -> None:
    """Write the crate of a finished run.

    Parameters
    ----------
    results : folder of the run
    path : of the zip archive
    tree : working tree with the workflow of the run

    Raises
    ------
    finished.UnfinishedError if the run has not ended well; CrateError if the tree is at another commit than the run.
    """
    from rocrate.rocrate import ROCrate  # of the extra "crate", and slow to import

    about = finished.origin(results)
    if (here := machine.commit(tree)) != about["commit"]:
        raise CrateError(
            f"{results / finished.ORIGIN}: commit: found {about['commit']}, expected {here}, that of {tree}"
        )
    ended = _time(results / finished.COMPLETE)
    crate = ROCrate(version="1.1")
    crate.name = f"blurbench: {about['run']}"
    crate.description = f"Tables and figures of a finished run, with the workflow that made them. {line(about)}"
    crate.license = _entity(crate, LICENSE, {"@type": "CreativeWork", "name": "BSD 3-Clause License", "url": LICENSE})
    crate.datePublished = ended
    workflow = crate.add_workflow(
        tree / "Snakefile", "Snakefile", main=True, lang="snakemake", lang_version=about["packages"].get("snakemake")
    )
    workflow["name"], workflow["license"], workflow["encodingFormat"] = "blurbench", crate.license, TEXT
    workflow["conformsTo"] = {"@id": COMPUTATION}
    if about["commit"]:
        workflow["version"] = about["commit"]
    workflow["softwareRequirements"] = list(_software(crate, about))
    for file in _files(tree, WORKFLOW):
        crate.add_file(file, file.relative_to(tree).as_posix(), properties={"encodingFormat": _type(file)})
    crate.root_dataset["conformsTo"] = [_profile(crate, address, name) for address, name in PROFILES.items()]
    given, made, scores = (list(_outputs(crate, results, one)) for one in ((CONFIGURATION,), MADE, SCORES))
    made = [file for file in made if file not in given]
    workflow["input"] = _parameter(crate, "configuration", "what is simulated, trained and compared", given)
    workflow["output"] = [
        _parameter(crate, "reports", "tables and figures, and what they were made on", made),
        _parameter(crate, "scores", "a row for each item, method and metric", scores),
    ]
    run = {"name": f"Run {about['run']}", "description": line(about), "endTime": ended}
    (configuration,) = given
    action = crate.add_action(
        workflow, f"#run-{about['run']}", object=configuration, result=made + scores, properties=run
    )
    crate.root_dataset["mentions"] = action
    with atomic.replacing(path) as partial:
        crate.write_zip(partial)


def _entity(crate, identifier, properties):
    from rocrate.model.contextentity import ContextEntity

    return crate.add(ContextEntity(crate, identifier, properties=properties))


def _profile(crate, address, name):
    version = address.rpartition("/")[2]
    return _entity(crate, address, {"@type": "CreativeWork", "name": name, "version": version})


def _software(crate, about):
    """Python, and the packages that a table's head names."""
    places = {"Python": ("https://www.python.org/", about["python"])}
    for name in SHOWN:
        places[name] = (f"https://pypi.org/project/{name}/", about["packages"].get(name))
    for name, (place, version) in places.items():
        if version:
            known = {"@type": "SoftwareApplication", "name": name, "softwareVersion": version, "url": place}
            yield _entity(crate, place, known)


def _parameter(crate, name, description, files):
    """A slot of the workflow, and the files that fill it in this run."""
    slot = crate.add_formal_parameter(
        name, "File", identifier=f"#{name}", description=description, properties={"conformsTo": {"@id": PARAMETER}}
    )
    slot["workExample"] = files if len(files) > 1 else files[0]
    for file in files:
        file["exampleOfWork"] = slot
    return slot


def _outputs(crate, results, patterns):
    """Files of the run, under their paths in it."""
    for file in _files(results, patterns):
        name = file.relative_to(results).as_posix()
        place = f"results/{results.name}/{name}"
        yield crate.dereference(place) or crate.add_file(
            file, place, properties={"name": name, "encodingFormat": _type(file)}
        )


def _files(folder, patterns):
    """Files that match, and those in folders that do, without what Python compiled."""
    for pattern in patterns:
        for path in sorted(folder.glob(pattern)):
            inside = sorted(path.rglob("*")) if path.is_dir() else [path]
            yield from (file for file in inside if file.is_file() and "__pycache__" not in file.parts)


def _type(file):
    return TYPES.get(file.suffix, TEXT)


def _time(file):
    return datetime.fromtimestamp(file.stat().st_mtime, UTC).isoformat(timespec="seconds")
