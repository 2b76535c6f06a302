"""`make gpu` on a CPU: all its steps, killed in the middle and gone on with; what it says of what is missing."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml

from blurbench import problems
from blurbench.planning import catalogue, sources
from blurbench.planning.merging import merged

SCRIPT = Path(__file__).parent / "benchmarks/gpu"
SMOKE = Path(__file__).parents[1] / "config/smoke.yaml"
# Over config/smoke.yaml: trainings of two networks, as small as they can be.
SMALLEST = {
    "seed": 1,  # of so few volumes those of another seed may not pass the gates of a packing
    "problems": {
        "diffusion": {
            "budget": {"epochs": 1, "batch_size": 4, "validations": 2},
            "datasets": {
                "report": {"imaging": {"frames": 4, "size_px": 16}, "items": {"train": 8, "validation": 4}},
                "report_no_shape": None,
            },
            "methods": {"ours": {"options": {"width": 16}}},
        },
        "colloids": {"datasets": {"levels": {"imaging": {"shape_px": [32, 32, 32]}}, "large": None}},
    },
}


@pytest.fixture(scope="module")
def layer(tmp_path_factory):
    """File of a configuration over config/config.yaml."""
    smoke = yaml.safe_load(SMOKE.read_text(encoding="utf-8"))
    path = tmp_path_factory.mktemp("config") / "smallest.yaml"
    path.write_text(yaml.safe_dump(merged(smoke, SMALLEST)), encoding="utf-8")
    return path


def start(out, layer, minutes, **more):
    command = [sys.executable, str(SCRIPT), "--minutes", str(minutes), "--out", str(out), "--config", str(layer)]
    env = {**os.environ, "PYTHONPATH": sources.search_path()}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)


def done(out):
    """When each piece was done, by its file."""
    kinds = "agreement/*/*.json", "throughput/*/*/*.json", "dataset/*/*.json", "training/*/*/*/*.json"
    return {path: path.stat().st_mtime_ns for pattern in kinds for path in out.glob(pattern)}


def test_a_killed_session_is_gone_on_with(tmp_path, layer):
    killed = start(tmp_path, layer, 60)
    while len(before := done(tmp_path)) < 6:
        assert killed.poll() is None, killed.stdout.read()
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()

    session = start(tmp_path, layer, 60)
    said = session.communicate()[0]
    assert session.returncode == 0, said
    after = done(tmp_path)
    assert {path: after[path] for path in before} == before  # none is done twice
    networks = {
        (problem, name)
        for problem in problems.names()
        for name in catalogue.files(problem)
        if catalogue.describe(problem, name).network
    }
    main = {"diffusion": "report", "colloids": "levels", "fusion": "known", "segmentation": "bbbc005"}
    trained = {(problem, dataset, "ours") for problem, dataset in main.items()}
    expected = {f"agreement/{'/'.join(of)}" for of in networks} | {f"throughput/{'/'.join(of)}" for of in trained}
    expected |= {f"dataset/{'/'.join(of[:2])}" for of in trained} | {f"training/{'/'.join(of)}/1" for of in trained}
    assert {str(path.relative_to(tmp_path).with_suffix("")) for path in after} == expected
    assert "All pieces are done." in said
    assert not [*tmp_path.rglob("*.checkpoint")]

    section = (tmp_path / "performance.md").read_text(encoding="utf-8")
    assert all(f"| {name.split('/', 1)[1]} |" in section for name in expected) and "not done yet" not in section
    for path in tmp_path.glob("agreement/*/*.json"):
        found = json.loads(path.read_text(encoding="utf-8"))
        assert found["agree"] and found["difference"] <= found["tolerance"]

    other = start(tmp_path, SMOKE, 60)  # figures that do not belong together
    said = other.communicate()[0]
    assert other.returncode and "session.json: layer: found 'smallest.yaml', expected 'smoke.yaml'" in said
    assert done(tmp_path) == after


def test_without_minutes_nothing_is_begun(tmp_path, layer, monkeypatch):
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    session = start(tmp_path, layer, 0)
    said = session.communicate()[0]
    assert session.returncode == 0 and not done(tmp_path)
    assert "pieces are left" in said and "not done yet" in (tmp_path / "performance.md").read_text(encoding="utf-8")
    imported = {line.rpartition("|")[2].strip() for line in said.splitlines() if line.startswith("import time:")}
    assert "torch" in imported and not {"snakemake", "pytest"} & imported


def test_missing_packages_are_listed(tmp_path, layer):
    """Nothing but what the library imports is needed; Python without any package is told what that is."""
    command = [sys.executable, "-S", str(SCRIPT)]
    env = {"PYTHONPATH": str(problems.LIBRARY.parent), "PATH": ""}
    session = subprocess.run(command, env=env, capture_output=True, text=True)
    assert session.returncode and "Traceback" not in session.stderr
    missing = session.stderr.partition("missing: ")[2].partition(". ")[0].split(", ")
    assert {"numba", "numpy", "pandas", "torch", "zarr"} <= set(missing)
    assert not {"snakemake", "pytest", "matplotlib"} & set(missing)


# Its parts


@pytest.fixture
def parts(monkeypatch):
    """The script's modules."""
    monkeypatch.syspath_prepend(SCRIPT.parent)
    monkeypatch.syspath_prepend(SCRIPT)
    import agreement
    import pieces
    import trainings
    import utilisation

    return {"agreement": agreement, "pieces": pieces, "trainings": trainings, "utilisation": utilisation}


@pytest.mark.parametrize("minutes, steps", [(60, 3), (0, 1)])
def test_a_training_ends_with_the_first_step_beyond_the_minutes(parts, minutes, steps):
    weight = torch.nn.Parameter(torch.zeros(1))
    optimiser, clock = torch.optim.SGD([weight]), parts["pieces"].Clock(minutes)
    with clock.watching() as moments:
        try:
            for _ in range(3):
                optimiser.step()
        except parts["pieces"].OutOfTime:
            assert minutes == 0
    assert len(moments) == steps
    optimiser.step()  # watched no longer
    assert len(moments) == steps


def test_networks_that_disagree_are_found(parts):
    agreement = parts["agreement"]
    right, rounding = torch.linspace(-1, 1, 1000).double(), agreement.ROUNDING["bfloat16"]

    def found(other):
        return agreement.difference(agreement.Answers([right], [9]), agreement.Answers([other], [9]), rounding)

    assert found(right) == {"difference": 0, "tolerance": 12 * 2**-8, "agree": True, "layers": 9}
    assert found(right.bfloat16().double())["agree"]
    assert not found(right.roll(50))["agree"] and not found(torch.full_like(right, torch.nan))["agree"]
    with pytest.raises(ValueError, match="networks answered arrays"):
        found(right[:10])


def test_datasets_are_cut_to_what_fits_the_minutes(parts):
    cut, stated = parts["trainings"].cut, {"train": 1000, "validation": 50}
    fast = {"simulated_per_s": 10.0, "items_per_s": 1000.0, "epochs": 10, "batch_size": 8}
    slow = {**fast, "items_per_s": 20.0}
    assert cut(stated, [fast], 600) == {"train": 600, "validation": 30}  # a tenth of the time, to simulate
    assert cut(stated, [fast, slow], 600) == {"train": 120, "validation": 6}  # to train
    assert cut(stated, [fast], 60000) == stated
    assert cut(stated, [slow], 1) == {"train": 8, "validation": 1}  # a batch at least


def test_the_gpu_is_asked_how_busy_it_is(parts, monkeypatch, tmp_path):
    utilisation = parts["utilisation"]
    told = tmp_path / "nvidia-smi"
    told.write_text('#!/bin/sh\necho "$@" > "$0.asked"\necho 75\n')
    told.chmod(told.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(utilisation, "PERIOD", 0.01)
    properties = type("Properties", (), {"uuid": "1234"})
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: properties)
    begun = time.monotonic()
    with utilisation.Utilisation(torch.device("cuda")) as asked:
        while not asked.samples:
            time.sleep(0.01)
    assert asked.between(begun, time.monotonic()) == 0.75
    assert asked.between(begun - 2, begun - 1) is None
    assert "--id=GPU-1234" in (tmp_path / "nvidia-smi.asked").read_text()
    told.write_text('#!/bin/sh\necho "[N/A]"\n')
    with utilisation.Utilisation(torch.device("cuda")) as asked:
        asked.thread.join(60)
    assert asked.between(begun, time.monotonic()) is None
