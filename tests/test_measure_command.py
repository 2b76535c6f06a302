"""`python -m blurbench measure`: the entry that it writes, and what it says where that is wrong."""

import subprocess
import sys

import pytest
import yaml
from configurations import ROOT

from blurbench.__main__ import main
from blurbench.planning import own_recording


@pytest.fixture
def measure(monkeypatch, tmp_path):
    """Run the command in a folder of its own, with the configuration and no workflow; gives what it would have run."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").symlink_to(ROOT / "config/config.yaml")
    (tmp_path / "Cell 7.ome.tif").touch()
    monkeypatch.chdir(tmp_path)
    asked = []

    def run(command, **options):
        asked.append(command)
        return subprocess.CompletedProcess(command, 1)

    def measured(*arguments):
        monkeypatch.setattr(subprocess, "run", run)
        monkeypatch.setattr(sys, "argv", ["blurbench", "measure", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        return asked[-1] if asked else str(end.value)

    return measured


CALIBRATED = ["Cell 7.ome.tif", "--pixel-um", "0.2", "--frame-s", "0.02"]

OPTICS = ["detection_na=0.8", "emission_um=0.52", "illumination_um=0.488", "sheet_waist_um=3"]
VIEW = ["Cell 7.ome.tif", "--problem", "fusion", "--set", *OPTICS]


def test_an_entry_is_kept_that_the_workflow_takes(measure, tmp_path):
    command = measure(*CALIBRATED, "--offset", "100", "--set", "tracking.memory=0", "polarity=dark")
    assert command[command.index("--configfile") + 1] == "config/cell_7.yaml" and "recordings" in command
    layer = yaml.safe_load((tmp_path / "config/cell_7.yaml").read_text())
    entry = layer["recordings"]["cell_7"]
    assert layer["run"] == "cell_7" and entry["weights"] == "shipped" and entry["gain"] == "estimate"
    known = {"pixel_size_um": 0.2, "frame_time_s": 0.02, "exposure_s": 0.02, "offset": 100, "polarity": "dark"}
    assert entry.items() >= known.items() and entry["tracking"]["memory"] == 0


def test_it_is_written_again_but_not_over_somebodys_own(measure, tmp_path):
    measure(*CALIBRATED)
    measure(*CALIBRATED, "--exposure-s", "0.005")
    file = tmp_path / "config/cell_7.yaml"
    assert yaml.safe_load(file.read_text())["recordings"]["cell_7"]["exposure_s"] == 0.005
    own = file.read_text().split("\n", 1)[1]
    file.write_text(own)
    measure(*CALIBRATED)
    assert file.read_text() == own


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Cell 7.ome.tif", "--frame-s", "0.02"], "pixel_size_um"),
        ([*CALIBRATED, "--set", "dataset=wid"], "did you mean wide?"),
        (VIEW, "weights: found shipped, and none for fusion/known"),
        ([*CALIBRATED, "--set", "polarity"], "--set: found 'polarity', expected key=value"),
        ([*CALIBRATED, "--problem", "fussion"], "fussion"),
        (["gone.tif", "--pixel-um", "0.2", "--frame-s", "0.02"], "gone.tif"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(measure, tmp_path, arguments, message):
    assert message in measure(*arguments)
    assert [path.name for path in (tmp_path / "config").iterdir()] == ["config.yaml"]


def test_names_are_those_that_an_entry_may_have():
    assert [own_recording.named(file) for file in ("a/Cell 7.ome.tif", "µ.tif", "x-1/")] == [
        "cell_7",
        "recording",
        "x_1",
    ]
