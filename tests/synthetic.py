"""Made-up predictions and their scores, for the tests of what is downstream of a method."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from blurbench.diffusion.score import score

GRID = (0.1, 0.2, 0.5, 1, 2, 5, 10)
METHODS = {  # kind, SD of ln D
    "ours": ("learned", 0.2),
    "pix2d": ("learned", 0.3),
    "cve": ("classical", 0.45),
    "spot_width": ("classical", 0.35),
    "broken": ("classical", None),
    "cramer_rao": ("limit", 0.4),
    "posterior": ("limit", 0.12),
    "prior_mean": ("control", 2.0),
}


def dataset(D, realised=None, bounds=(0.1, 10)):
    """What `score` reads of a dataset."""
    D = np.asarray(D, float)
    return SimpleNamespace(
        items=pd.DataFrame({"D": D}),
        truth={"D_realised": D if realised is None else np.asarray(realised, float)},
        spec={"D_um2_s": list(bounds), "test_D_um2_s": np.unique(D).tolist()},
    )


def predictions(D, sd=np.nan, status="ok", seconds=0.01):
    """Predictions of every item, with normal intervals of ln D of that SD."""
    D = np.asarray(D, float)
    with np.errstate(invalid="ignore"):
        bounds = {
            f"D_{end}{level}": D * np.exp(sign * z * sd)
            for level, z in ((68, 1.0), (95, 1.96))
            for end, sign in (("lo", -1), ("hi", 1))
        }
    return pd.DataFrame({"item": np.arange(len(D)), "D": D, **bounds, "seconds": seconds, "status": status})


def score_tables(name="report", per_D=30, factor=1.0, seed=0):
    """Score tables of METHODS on one dataset as scripts/score.py writes them; `broken` fails on every third item."""
    rng = np.random.default_rng(seed)
    truth = dataset(np.repeat(GRID, per_D))
    D = truth.items["D"].to_numpy()
    for method, (kind, sd) in METHODS.items():
        for run in (1, 2) if kind == "learned" else (0,):
            guess = predictions(D * np.exp(factor * (sd or 0.5) * rng.normal(size=len(D))), sd or np.nan)
            if sd is None:
                guess.loc[::3, ["D", "status"]] = [np.nan, "no spot found"]
            names = {"run": "test", "problem": "diffusion", "dataset": name, "split": "test"}
            yield score(truth, guess).assign(**names, method=method, kind=kind, seed=run)
