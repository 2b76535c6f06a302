"""Peak memory of `prepare` for a file of 100 MB of every problem, and what is asked for, each in a process of its own.

python tests/benchmarks/recording_memory.py                  of every problem
python tests/benchmarks/recording_memory.py colloids 400     of one, and a file of that many MB
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import tifffile
import yaml

sys.path.insert(0, str(Path(__file__).parents[2] / "src"))
sys.path.insert(0, str(Path(__file__).parents[1]))

from recorded_volumes import RECORDING, SPEC

from blurbench import problems

ROOT = Path(__file__).parents[2]
SIDE, SLICES = 1000, 5  # pixels of a slice; slices whose noise is their own
PEAK, GROUND, WIDTH = 40, 20, 2.5  # grey values of blobs and around them; their SD, pixels
COUNTS = {"gain": "estimate", "offset": 5, "polarity": "bright"}
VOXELS = {"as it is": [0.1, 0.1, 0.1], "twice the voxels": [0.2, 0.1, 0.1], "eight times": [0.2, 0.2, 0.2]}
DIFFUSION = {"pixel_size_um": 0.2, "frame_time_s": 0.01, "exposure_s": 0.01}
TRACKING = {"diameter_px": 7, "minmass": 100, "search_range_px": 5, "memory": 2, "subtract_drift": False}
OPTICS = {"detection_na": 0.4, "emission_um": 0.52, "illumination_um": 0.488, "sheet_waist_um": 2.5, "fan": 0.1}
CELLS = {"stain": "nuclei", "blur_px": 1.0}


def tiny(problem):
    """Expanded entry of a dataset."""
    return yaml.safe_load((ROOT / "tests" / problem / "tiny.yaml").read_text(encoding="utf-8"))


def cases(problem):
    """(name, entry of the recording, dataset, distance of its objects along each axis in pixels) of a problem."""
    if problem == "colloids":
        for name, voxel in VOXELS.items():
            lattice = [int(1.6 / side) for side in voxel]
            yield name, {**RECORDING, **COUNTS, "voxel_um": voxel}, SPEC, lattice
    elif problem == "diffusion":
        # Spots that rest, as near to each other as a stack allows.
        imaging = {**tiny(problem)["imaging"], "size_px": 24, "frames": 16, **DIFFUSION}
        entry = {**DIFFUSION, **COUNTS, "tracking": TRACKING, "psf": {"kind": "gaussian", "fwhm_um": 0.6}}
        for name, apart in {"spots that fill it": 26, "few spots": 200}.items():
            yield name, entry, {**tiny(problem), "imaging": imaging}, [1, apart, apart]
    elif problem == "fusion":
        about = {"spacing_um": [1.5, 0.4, 0.4], "channel": "nucleus"}
        yield "as it is", {**COUNTS, **OPTICS, **about}, tiny(problem), [6, 20, 20]
    else:
        yield "as it is", {**COUNTS, **CELLS, "offset": "estimate"}, tiny(problem), [1, 40, 40]


def write(path, megabytes, bits, lattice, flat):
    """A file of blobs on a lattice, slice by slice, in the same noise every few slices."""
    bytes_ = bits // 8
    n = 1 if flat else int(megabytes * 1e6 / bytes_ / SIDE**2)
    side = int(np.sqrt(megabytes * 1e6 / bytes_)) if flat else SIDE
    rng = np.random.default_rng(0)
    y, x = ((np.arange(side) % apart - apart // 2) / WIDTH for apart in lattice[1:])
    spots = np.exp(-0.5 * (y[:, None] ** 2 + x**2)).astype(np.float32)
    noise = rng.normal(0, np.sqrt(GROUND), (1 if flat else SLICES, side, side)).astype(np.float32)
    with tifffile.TiffWriter(path) as file:
        for z in range(n):
            depth = np.exp(-0.5 * ((z % lattice[0] - lattice[0] // 2) / WIDTH) ** 2)
            image = np.clip(GROUND + PEAK * depth * spots + noise[z % len(noise)], 0, 2**8 - 1)
            file.write(image.astype(f"uint{bits}"), photometric="minisblack", contiguous=True)


def peak_mb(problem, case, file):
    """Peak memory (MB) that `prepare` takes beside that of its imports; run in a process that does nothing else."""
    prepare = problems.find(problem, "preparation.prepare")
    _, entry, dataset, _ = list(cases(problem))[case]
    before = status_mb("VmRSS")
    entry = {**entry, "problem": problem, "dataset": "tiny", "file": file}
    prepare(entry, dataset, Path(file).with_name("items.zarr"), Path(file).with_name("items.json"))
    return status_mb("VmHWM") - before


def status_mb(key):
    """Memory of this process as Linux tells it, MB; `ru_maxrss` begins with that of the process that started it."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1e3


def main(wanted, megabytes):
    for problem in wanted:
        for case, (name, entry, dataset, lattice) in enumerate(cases(problem)):
            for bits in (8, 16):
                with tempfile.TemporaryDirectory() as folder:
                    file = Path(folder) / "a.tif"
                    write(file, megabytes, bits, lattice, problem == "segmentation")
                    size = file.stat().st_size / 1e6
                    job = [sys.executable, __file__, "--one", problem, str(case), str(file)]
                    done = subprocess.run(job, check=True, stdout=subprocess.PIPE, text=True)
                taken = float(done.stdout.split()[-1]) / size
                asked = (
                    problems.find(problem, "recording_memory.prepare_mb")({**entry, "file": str(file)}, dataset, [size])
                    / size
                )
                print(f"{problem}, {name}, {bits} bits: {taken:.1f} times the file, asked for {asked:.1f}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(peak_mb(sys.argv[2], int(sys.argv[3]), sys.argv[4]))
    else:
        given = sys.argv[1:]
        size = [float(one) for one in given if one.replace(".", "").isdecimal()]
        main([one for one in given if one in problems.names()] or problems.names(), size[0] if size else 100)
