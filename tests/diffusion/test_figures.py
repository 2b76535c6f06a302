"""Every figure is drawn, is a valid SVG with text as text, and the same data give the same file."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from svg import texts
from synthetic import GRID, dataset, predictions, score_tables

from blurbench import problems
from blurbench.diffusion import PROBLEM
from blurbench.diffusion.score import score
from blurbench.drawing.material import Material, MethodFile

CUES = {f"report_{cue}": {"stream": "report", "cue": cue} for cue in ("no_trajectory", "no_shape", "no_intensity")}


pytestmark = pytest.mark.usefixtures("no_warnings")


def draw(figure, path, given):
    problems.find("diffusion", f"figures.{figure}.draw")(path, given)


def material(**given):
    return Material(resamples=200, seed=1, dataset="report", **given)


def curves(folder):
    for method in ("ours", "pix2d"):
        for seed in (1, 2):
            path = folder / f"{method}_{seed}.csv"
            items = np.linspace(1e3, 1e4, 8).round()
            table = {
                "items": items,
                "seconds": items / 100,
                "core_s": items / 90,
                "train_loss": -items / 1e4,
                "validation_loss": -items / 2e4,
            }
            pd.DataFrame({**table, "validation_rmse_ln_d": 1e3 / items, "learning_rate": 1e-3}).to_csv(
                path, index=False
            )
            yield MethodFile("report", method, seed, path)


def store(D=(0.1, 10)):
    rng, n = np.random.default_rng(1), len(D)
    return SimpleNamespace(
        images=rng.poisson(3, (n, 8, 32, 32)).astype("uint16"),
        truth={"positions": rng.normal(size=(n, 8, 10, 2)).cumsum(axis=2) * 0.05},
        items=pd.DataFrame({"D": D, "frames": np.resize([8, 3], n)}),
        attrs={"voxel_size": [None, 0.01, 0.2, 0.2]},
    )


def answered(folder):
    """Of each D one item: `ours` is wrong by a factor of 3 at D = 1, `cve` by 1.5 and has no answer at the last one."""
    D = np.array(GRID)
    factors = {"ours": ("learned", np.where(D == 1, 3, 1.1 + D / 1000)), "cve": ("classical", np.full(len(D), 1.5))}
    tables, files = [], []
    for method, (kind, factor) in factors.items():
        guess = predictions(D * factor, 0.2)
        if method == "cve":
            guess.loc[len(D) - 1, ["D", "status"]] = [np.nan, "no spot found"]
        names = {"dataset": "report", "method": method, "kind": kind, "seed": 1}
        tables.append(score(dataset(D), guess).assign(**names))
        files.append(MethodFile("report", method, 1, folder / f"{method}.parquet"))
        guess.to_parquet(files[-1].file)
    kinds = {"cve": "classical", "ours": "learned"}
    return {"scores": tables, "predictions": files, "kinds": kinds, "store": store(D)}


def data(figure, folder):
    """Arguments of `draw`, and words that must be read in the figure."""
    scores = list(score_tables(per_D=10))
    if figure == "cues":
        scores += [table for name in CUES for table in score_tables(name, per_D=10, factor=1.5)]
        return {"scores": scores, "datasets": CUES}, {"no shape", "ours", "RMSE of ln D (95 % interval)"}
    return {
        "predicted": ({"scores": scores}, {"ours", "spot_width", "true D (µm²/s)", "34.3 % failed"}),
        "relative_sd": ({"scores": scores}, {"exact posterior", "D (µm²/s)", "learned methods", "bias of ln D"}),
        "examples": ({"store": store()}, {"D = 0.1 µm²/s", "frame 8", "0.5 µm"}),
        "learning": (
            {"curves": list(curves(folder))},
            {"ours", "(1.7 min)", "training items presented", "RMSE of ln D,", "0.1"},
        ),
        "cost": (
            {
                "curves": list(curves(folder)),
                "validation": scores,
                "methods": {
                    name: {"method": name, "options": {}, "budget": {}, "sweep": {}} for name in ("ours", "pix2d")
                },
            },
            {"ours", "pix2d", "cve", "core-seconds of the training", "RMSE of ln D"},
        ),
        "pareto": (
            {"scores": scores, "curves": list(curves(folder))},
            {"ours", "cve", "Pareto front", "seconds an item", "core-seconds of the training", "RMSE of ln D"},
        ),
        "gallery": (
            answered(folder),
            {
                "ours",
                "cve",
                "item 0",
                "item 3",
                "item 6",
                "best",
                "D 0.1 → 0.11",
                "+0.10",
                "[2, 4.4]",
                "+1.10",
                "failed",
            },
        ),
    }[figure]


@pytest.mark.parametrize("figure", PROBLEM.figures + PROBLEM.training_figures + PROBLEM.summary_figures)
def test_figure(figure, tmp_path):
    arguments, words = data(figure, tmp_path)
    for name in ("one.svg", "two.svg"):
        draw(figure, tmp_path / name, material(**arguments))
    assert words <= texts(tmp_path / "one.svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_a_method_that_always_fails_does_not_stop_a_figure(tmp_path):
    scores = [table for table in score_tables(per_D=5) if table.method[0] in {"broken", "pix2d"}]
    for table in scores:
        if table.method[0] == "broken":
            table["value"], table["status"] = np.nan, "out of memory"
    for figure in ("predicted", "relative_sd"):
        draw(figure, tmp_path / f"{figure}.svg", material(scores=scores))
        assert texts(tmp_path / f"{figure}.svg")


def test_intervals_follow_the_resamples_and_seed_of_the_configuration(tmp_path):
    scores = list(score_tables(per_D=10))
    found = set()
    for resamples, seed in ((100, 1), (200, 1), (200, 2), (200, 2)):
        draw("relative_sd", tmp_path / "one.svg", Material(resamples=resamples, seed=seed, scores=scores))
        found.add((tmp_path / "one.svg").read_bytes())
    assert len(found) == 3
