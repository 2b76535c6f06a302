"""What is installed is the whole library, whether from the tree or from a wheel."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import blurbench

ROOT = Path(__file__).parents[1]
LIBRARY = Path(blurbench.__file__).parent


def test_a_wheel_holds_every_module_and_every_yaml_of_the_library(tmp_path):
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=ignored)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-w",
        "made",
        ".",
    ]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    (wheel,) = (tmp_path / "made").glob("*.whl")
    wanted = {
        path.relative_to(LIBRARY.parent).as_posix() for end in ("py", "yaml") for path in LIBRARY.rglob(f"*.{end}")
    }
    assert wanted - set(zipfile.ZipFile(wheel).namelist()) == set()
