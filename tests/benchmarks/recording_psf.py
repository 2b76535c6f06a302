"""What methods find in movies of known D, with the PSF stated and with the PSF estimated from the movie.

    python tests/benchmarks/recording_psf.py [--columns 6] [--model ours=wide=results/.../1.pt]

The movies are those of the microscope of `report`. A learned method needs a model: `--model NAME=DATASET=FILE`, the
method's name, the dataset that it was trained on (of config/config.yaml with config/laptop.yaml) and its weights.
"""
# ruff: noqa: E402

import argparse
import logging
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from films import write_film

from blurbench.diffusion import measurement, preparation
from blurbench.files.datasets import Dataset
from blurbench.microscopy.recording_error import RecordingError
from blurbench.planning import units
from blurbench.planning.configuration import expand
from blurbench.planning.merging import merged

D = (0.2, 0.5, 1, 2, 5, 10)
PHOTONS = (50, 100, 300, 1000)
CLASSICAL = ("cve", "spot_width", "width_and_path")
STATED = {"kind": "gaussian", "fwhm_um": 0.25}


def entries(config, models):
    """Methods to run, as `measurement.measure` takes them."""
    found = {name: {"method": name, "kind": "classical", "options": {}, "models": {}} for name in CLASSICAL}
    for model in models:
        name, dataset, file = model.split("=")
        home = units.spec(config, "diffusion", dataset, "test")
        entry = {"method": name, "kind": "learned", "options": {}, "models": {1: file}, "trained_on": home}
        found[f"{name} of {dataset}"] = entry
    return found


def rows(truth, photons, stated, methods, spec, columns, seed):
    """Per method: median over truth, share of the stacks whose 95 % interval holds the truth; or why there is none."""
    about = {"D": truth, "photons": photons, "psf": "stated" if stated else "estimated"}
    with tempfile.TemporaryDirectory() as folder:
        film = write_film(Path(folder) / "film.tif", truth, photons, columns=columns, seed=seed)
        film |= {"psf": STATED} if stated else {}
        store, manifest = Path(folder) / "items.zarr", Path(folder) / "items.json"
        try:
            survey = preparation.prepare(film, spec, store, manifest)
        except RecordingError as refusal:
            return [{**about, "status": str(refusal)}]
        items = Dataset.open(store)
        found = measurement.measure(film, items, survey, methods, "cpu", 200, 1)
    told = found.reference.set_index("quantity").loc["psf_fwhm_told"]
    about |= {"fwhm_um": told["value"], "sd": told["sd"]}
    made = []
    for row in found.methods[found.methods["kind"] != "ensemble"].itertuples():
        one = found.details[found.details["method"] == row.method]
        holds = ((one["D_lo95"] <= truth) & (truth <= one["D_hi95"])).mean()
        median = {"ratio": row.D / truth, "low": row.ci_low / truth, "high": row.ci_high / truth}
        made.append({**about, "method": row.method, **median, "holds": holds, "n": row.n_stacks, "status": row.status})
    return made


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--columns", type=int, default=6, help="molecules along a side of the movie")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", action="append", default=[])
    parser.add_argument("--D", type=float, nargs="*", default=D)
    parser.add_argument("--photons", type=float, nargs="*", default=PHOTONS)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable()
    layers = (yaml.safe_load((ROOT / f"config/{name}.yaml").read_text()) for name in ("config", "laptop"))
    config = expand(merged(*layers))
    methods, spec = entries(config, arguments.model), units.spec(config, "diffusion", "report", "test")
    table = []
    for truth in arguments.D:
        for photons in arguments.photons:
            for stated in (True, False):
                table += rows(truth, photons, stated, methods, spec, arguments.columns, arguments.seed)
                print(
                    pd.DataFrame(table[-len(methods) :]).to_string(index=False, header=len(table) <= len(methods)),
                    flush=True,
                )
    table = pd.DataFrame(table)
    answered = table[np.isfinite(table["ratio"])]
    good = (answered["ratio"] - 1).abs().le(0.1) & answered["holds"].ge(0.9)
    print(answered.assign(good=good).groupby(["method", "psf"])[["good", "holds"]].mean().to_string())


if __name__ == "__main__":
    main()
