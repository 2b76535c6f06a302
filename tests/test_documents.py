"""What the documents name is there: paths, modules, targets of make; and the methods that they show run."""

import importlib
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from blurbench import problems
from blurbench.files import models
from blurbench.files.datasets import Dataset
from blurbench.learning.budget import Budget
from blurbench.learning.device import find_device
from blurbench.planning import catalogue, shipped
from blurbench.running import methods
from blurbench.running.simulation import simulate

ROOT = Path(__file__).parents[1]
PATH = re.compile(r"(src|rules|scripts|config|docs|tests|slurm|envs)/\S*")
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", ".github/*.md", "config/*.md", "docs/**/*.md", "tests/**/*.md")
    for path in ROOT.glob(pattern)
    if path.name != "CHANGELOG.md"  # which tells of what is gone
)
# What a newcomer who follows the document makes.
MADE = {
    "config/mine.yaml",
    "config/movie.yaml",
    "src/blurbench/diffusion/methods/mean_step.py",
    "src/blurbench/diffusion/methods/small_cnn.py",
    "src/blurbench/diffusion/methods/step_quantile.py",
}

each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())


def quoted(text):
    """What stands in backticks within a line."""
    return re.findall(r"`([^`\n]+)`", FENCED.sub("", text))


def test_the_documents_are_found():
    found = {path.relative_to(ROOT).as_posix() for path in DOCUMENTS}
    assert {"README.md", "config/README.md", "docs/design.md", "docs/adding-a-method.md"} <= found


@each_document
def test_paths_are_there(path):
    """Those in backticks; <problem> and {method} stand for any name."""
    missing = []
    for name in filter(PATH.fullmatch, quoted(path.read_text())):
        pattern = re.sub(r"<\w+>|\{\w+\}", "*", name).rstrip("/")
        if name not in MADE and not any(ROOT.glob(pattern)):
            missing.append(name)
    assert not missing


@each_document
def test_links_lead_somewhere(path):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text())
    assert not [link for link in links if not (path.parent / link).exists()]


@each_document
def test_modules_and_what_is_in_them_can_be_imported(path):
    names = set(re.findall(r"\bblurbench(?:\.[A-Za-z_]\w*)+", path.read_text()))
    assert not [name for name in sorted(names) if not known(name)]


def known(name):
    """Whether a dotted name is a module of the library, or something in one."""
    try:
        return bool(importlib.import_module(name))
    except ModuleNotFoundError:
        module, _, attribute = name.rpartition(".")
        return known(module) and hasattr(importlib.import_module(module), attribute)


def test_the_design_shows_every_floor():
    tree = re.search(r"^    src/blurbench/\n((?:        .*\n)+)", (ROOT / "docs/design.md").read_text(), re.MULTILINE)[
        1
    ]
    folders = {path.parent.name for path in (ROOT / "src/blurbench").glob("*/__init__.py")}
    assert set(re.findall(r"(\w+)/ ", tree)) == folders


@each_document
def test_targets_are_those_of_the_makefile(path):
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    typed = [line for _, code in FENCED.findall(path.read_text()) for line in code.splitlines()]
    commands = [*quoted(path.read_text()), *typed]
    named = {match[1] for command in commands if (match := re.match(r"make ([a-z-]+)", command))}
    assert named <= set(targets)


@each_document
def test_what_is_run_as_a_module_can_be(path):
    names = re.findall(r"python -m (blurbench[\w.]+)", path.read_text())
    assert all("__main__" in Path(importlib.import_module(name).__file__).read_text() for name in names)


def test_the_makefile_runs_what_there_is():
    names = re.findall(r"python -m (blurbench[\w.]+)", (ROOT / "Makefile").read_text())
    assert names and all(map(known, names))


def test_make_takes_all_cores_where_jobs_have_one_thread():
    """Many a cluster sets OMP_NUM_THREADS on its login nodes, which nproc follows."""
    others = {key: value for key, value in os.environ.items() if key != "OMP_NUM_THREADS"}
    told = [
        subprocess.check_output(["make", "--dry-run", "smoke"], cwd=ROOT, env={**others, **set_there}, text=True)
        for set_there in ({}, {"OMP_NUM_THREADS": "1"})
    ]
    assert "--cores" in told[0] and told[0] == told[1]


@pytest.mark.parametrize("model", ["ours", "summary_ridge"])
def test_what_models_for_a_movie_know_is_what_their_cards_say(model):
    trained = shipped.card("diffusion", "wide", model)["trained_on"]
    imaging, (low, high) = trained["imaging"], trained["D_um2_s"]
    times = [1000 * s for s in imaging["frame_time_s"]]
    assert imaging["exposure_s"] == imaging["frame_time_s"][1]  # so that each is exposed throughout
    said = " ".join((ROOT / "README.md").read_text().split())
    for words in (
        f"pixels of {imaging['pixel_size_um']} µm in the sample",
        f"frames of {times[0]:g} to {times[1]:g} ms exposed throughout",
        "stacks of {} to {} frames".format(*imaging["frames"]),
        "PSF of {} to {} µm (FWHM)".format(*imaging["psf"]["fwhm_um"]),
        "{:,} to {:,} photons in a frame".format(*imaging["photons"]),
        "on {} to {} in a pixel".format(*imaging["background"]),
        f"D of {low} to {high} µm²/s",
    ):
        assert words in said


TABLE = re.compile(r"<!-- laptop: ([a-z, ]+) -->\n\n((?:\|.*\n)+)")


def laptop_tables(*paths):
    """{name: {method: cells}} of the tables that `make publish` writes into documents."""
    found = {}
    for path in paths:
        for name, table in TABLE.findall(path.read_text()):
            rows = [re.split(r" *\| *", line.strip("| ")) for line in table.splitlines()]
            found[name] = {method: cells for method, *cells in rows[2:]}
    return found


@pytest.mark.parametrize("problem", ["diffusion", "colloids", "fusion", "segmentation"])
def test_the_readme_shows_a_table_of_ten_rows_and_a_figure_of_each_problem(problem):
    short = laptop_tables(ROOT / "README.md")[f"{problem}, short"]
    whole = laptop_tables(ROOT / f"docs/results/{problem}.md")[problem]
    assert len(short) == 10
    for method, cells in short.items():
        rest = iter(whole[method])
        assert cells and all(cell in rest for cell in cells)  # in the order of the columns
    assert list(short) == [method for method in whole if method in short]
    assert f"](docs/figures/{problem}.png)" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("path", sorted((ROOT / "docs/figures").glob("*")), ids=lambda path: path.name)
def test_figures_of_documents_are_small(path):
    assert path.suffix in {".png", ".svg"} and path.stat().st_size <= 500_000


def shown():
    """(problem, id, code) of every method that a document shows whole."""
    for path in DOCUMENTS:
        for language, code in FENCED.findall(path.read_text()):
            if language == "python" and code.startswith('"""'):
                problem = "colloids" if "blurbench.colloids" in code else "diffusion"
                yield pytest.param(problem, code, id=f"{path.name}-{re.search('class ([A-Za-z0-9]+)', code)[1]}")


@pytest.fixture(scope="module")
def splits(tmp_path_factory):
    """The splits of a tiny dataset of a problem, made when first asked for."""
    made = {}

    def splits(problem):
        if problem not in made:
            folder = tmp_path_factory.mktemp(problem)
            entry = yaml.safe_load((ROOT / f"tests/{problem}/tiny.yaml").read_text())
            for split in entry["items"]:
                simulate(problem, "tiny", split, entry, 1, folder / f"{split}.zarr", folder / f"{split}.json")
            made[problem] = {split: Dataset.open(folder / f"{split}.zarr") for split in entry["items"]}
        return made[problem]

    return splits


@pytest.mark.parametrize("problem, code", list(shown()))
def test_a_method_that_is_shown_runs(problem, code, splits, tmp_path, monkeypatch):
    (tmp_path / "method.py").write_text(code)
    monkeypatch.setattr(catalogue, "source", lambda *_: tmp_path / "method.py")
    described = catalogue.describe.__wrapped__(problem, "method")
    exec(compile(code, "method.py", "exec"), names := {"__name__": "method"})
    method, data, model = names[described.class_name](), splits(problem), None
    vars(method).update(described.options)
    if described.trains:
        budget = Budget(epochs=1, batch_size=8, validations=1)
        trained, curve = method.fit(data, budget, find_device("cpu"), 1)
        assert {"items", "seconds", "validation_loss"} <= set(curve)
        model = tmp_path / "model.pt"
        models.write({"precision": budget.precision, "spec": data["train"].spec, **trained}, model)
    table = methods.predict(method, data["test"], model)
    assert (table["status"] == "ok").mean() > 0.8
    assert list(table) == ["item", *problems.load(problem).answer.columns, "seconds", "status"]
