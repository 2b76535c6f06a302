"""Every figure is drawn, the same each time; contours stand where theory puts them."""

import numpy as np
import pandas as pd
import pytest
from levels import DATASETS, METHODS, SLOPE, f1_at, grid, score_tables, scores
from matplotlib.figure import Figure
from svg import texts

from blurbench import problems
from blurbench.colloids.figures import conditions, pair_correlation, slices
from blurbench.colloids.figures.how_low import contour
from blurbench.drawing.material import Material, MethodFile
from blurbench.files.datasets import Dataset

pytestmark = pytest.mark.usefixtures("no_warnings")


def draw(figure, path, given):
    problems.find("colloids", f"figures.{figure}.draw")(path, given)


def material(folder, shape=(40, 40, 40), methods=METHODS, **options):
    """All that figures are drawn from: a dataset of random spheres, and methods that find most of them."""
    items, rng = grid(volumes=1, **options), np.random.default_rng(1)
    spheres = rng.uniform(-0.5, np.array(shape) - 0.5, (len(items), 30, 3)) * items.voxel_um.to_numpy()[:, None, None]
    files = []
    for method in methods:
        at = spheres[:, :25] + 0.01 * rng.normal(size=(len(items), 25, 3))
        frame = pd.DataFrame(at.reshape(-1, 3), columns=["z", "y", "x"])
        files.append(MethodFile("levels", method, 0, folder / f"{method}.parquet"))
        frame.assign(item=np.repeat(items.index, 25), confidence=1.0).to_parquet(files[-1].file)
    images = rng.poisson(100, (len(items), *shape)).astype("uint16")
    sizes = np.repeat(items.particle_size_um.to_numpy("float32")[:, None], 30, axis=1)
    truth = {"centres": spheres.astype("float32"), "diameters": sizes}
    store = Dataset({"dataset": "levels"}, images, items, truth)
    tables = list(score_tables(items, methods=methods))
    return Material(
        resamples=100,
        seed=1,
        scores=tables,
        predictions=files,
        store=store,
        curves=list(curves(folder)),
        datasets=DATASETS,
        dataset="levels",
    )


def curves(folder):
    for method in ("ours", "unet3d"):
        for seed in (1, 2):
            items = np.linspace(1e3, 1e4, 8).round()
            path = folder / f"{method}_{seed}.csv"
            losses = {"train_loss": 1e3 / items, "validation_loss": 1.2e3 / items}
            pd.DataFrame({"items": items, "seconds": items / 100, **losses}).to_csv(path, index=False)
            yield MethodFile("levels", method, seed, path)


WORDS = {
    "slices": {"cut of a true sphere", "ours, best learned method", "log, best classical method", "xz", "0.5 µm"},
    "recall_error": {
        "recall",
        "rms error along z / d",
        "ours",
        "chance",
        "σz/d = 0.6",
        "levels, CNR 3 (bars: 95 % intervals)",
    },
    "pair_correlation": {"truth", "Percus-Yevick", "ours", "log", "r / d", "levels, φ = 0.5, CNR 8"},
    "learning": {"ours", "unet3d", "(1.7 min)", "training items presented"},
    "gallery": {"ours", "log", "oracle", "best", "worst", "0.1, 0.2, 0.75", "0.1, 0.2, 8", "0.98"},
    "how_low": {"particle size (µm)", "blind (nowhere)", "oracle (everywhere)", "φ = 0.5", "0.33"},
}


# Figures


@pytest.mark.parametrize("figure", WORDS)
def test_figure(figure, tmp_path):
    given = material(tmp_path)
    for name in ("one.svg", "two.svg"):
        draw(figure, tmp_path / name, given)
    assert WORDS[figure] <= texts(tmp_path / "one.svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


@pytest.mark.parametrize(
    "options", [{"phi": (0.3,), "sizes": (0.5,), "cnr": (3,)}, {"sizes": (1.0, 0.25), "cnr": (3,)}]
)
def test_a_grid_of_few_values_is_drawn(options, tmp_path):
    """Flat volumes, one or two sizes, one CNR; no contour, which needs two of each."""
    given = material(tmp_path, shape=(30, 40, 48), **options)
    for figure in ("slices", "recall_error", "pair_correlation"):
        draw(figure, tmp_path / f"{figure}.svg", given)
        assert "levels, " in " ".join(texts(tmp_path / f"{figure}.svg"))
    draw("how_low", tmp_path / "how_low.svg", given)
    assert texts(tmp_path / "how_low.svg") == {"no dataset with several sizes and contrasts"}


def test_figures_without_predictions_or_methods(tmp_path):
    given = material(tmp_path)
    given.predictions = []
    draw("slices", tmp_path / "slices.svg", given)
    assert "cut of a true sphere" in texts(tmp_path / "slices.svg")
    given.scores = []
    draw("pair_correlation", tmp_path / "g.svg", given)
    assert {"truth", "Percus-Yevick"} <= texts(tmp_path / "g.svg")
    given.scores = list(score_tables(given.store.items, methods={"oracle": ("limit", 0.0)}))
    for figure in ("recall_error", "how_low"):
        draw(figure, tmp_path / f"{figure}.svg", given)
        assert any("oracle" in text for text in texts(tmp_path / f"{figure}.svg"))


def test_datasets_stand_below_each_other(tmp_path):
    tables = [*score_tables(grid()), *score_tables(grid(phi=(0.3,)), "large"), *score_tables(grid(cnr=(3,)), "flat")]
    tables[0].loc[tables[0].phi == 0.5, "value"] = 0.9
    draw("how_low", tmp_path / "both.svg", Material(resamples=100, seed=1, scores=tables, datasets=DATASETS))
    found = texts(tmp_path / "both.svg")
    assert {"φ = 0.1", "φ = 0.3", "φ = 0.5", "ours (nowhere at φ 0.5)", "ours"} <= found
    assert {text.split(":")[0] for text in found if "tracks (F1" in text} == {"levels", "large"}


def test_a_method_that_always_fails_does_not_stop_a_figure(tmp_path):
    given = material(tmp_path)
    failed = next(table for table in given.scores if table.method[0] == "log")
    failed["value"], failed["status"] = np.nan, "out of memory"
    for figure in WORDS:
        draw(figure, tmp_path / f"{figure}.svg", given)
    assert "log (nowhere)" in texts(tmp_path / "how_low.svg")


def test_a_slice_shows_what_its_plane_cuts():
    """A sphere 0.3 d off the plane is cut in a circle of 2 sqrt(0.5² - 0.3²) d; one 0.6 d off is not."""
    item = pd.Series({"voxel_um": 0.1, "particle_size_um": 1.0})
    image = np.arange(40**3).reshape(40, 40, 40)
    centres = np.array([[1.0, 2.3, 1.5], [3.0, 1.4, 2.5], [np.nan] * 3])  # µm; the plane is at 2
    ax = Figure().subplots()
    found = [(centres[:2] + 0.1, slices.PAIR["learned"])]
    slices.section(ax, "xz", image, item, (centres, np.array([1.0, 1.0, np.nan])), found, np.full(3, 2.0))
    (circles,) = ax.collections
    assert circles.get_widths() == pytest.approx([0.8]) and circles.get_offsets() == pytest.approx(
        np.array([[1.5, 1.0]])
    )
    crosses = ax.lines[0].get_xydata()
    assert crosses == pytest.approx(np.array([[1.6, 1.1]]))
    assert np.array_equal(ax.images[0].get_array(), image[:, 20])


def test_pair_correlation_of_a_gas_is_one():
    """Of points anywhere, in every volume and whatever its size; 2000 points: 1 % where a shell holds 10 000 pairs."""
    items = pd.DataFrame({"particle_size_um": [1.0, 0.5], "voxel_um": [0.1, 0.05]})
    points = [np.random.default_rng(i).uniform(-0.5, 59.5, (2000, 3)) * items.voxel_um[i] for i in range(2)]
    store = Dataset({}, np.empty((2, 60, 60, 60), "uint16"), items, {})
    g = pair_correlation._mean_g(points, [0, 1], store)
    assert g[20:] == pytest.approx(np.ones(40), abs=0.05)
    thin = Dataset({}, np.empty((2, 30, 60, 60), "uint16"), items, {})
    g = pair_correlation._mean_g(points, [0], thin)
    assert np.isfinite(g[:39]).all() and np.isnan(g[40:]).all()  # two diameters are left within the margins


# The level and where it is reached


def test_contour_of_a_plane_is_its_line():
    x, cnr = np.array([0.2, 0.4, 0.6, 0.8]), np.array([0.75, 1.5, 3, 8])
    lines, areas = contour(x, cnr, f1_at(x, cnr[:, None]))
    (line,) = lines
    assert line[:, 1] == pytest.approx(3 * np.exp(SLOPE * (line[:, 0] - 0.4)), rel=1e-9)
    assert line.min(axis=0) == pytest.approx([0.2, 3 * np.exp(-SLOPE * 0.2)])
    (area,) = areas
    assert (
        area.contains_points([[0.25, 7], [0.4, 3.2]]).all() and not area.contains_points([[0.7, 7], [0.4, 2.8]]).any()
    )
    assert contour(x, cnr, np.ones((4, 4)))[0] == [] == contour(x, cnr, np.zeros((4, 4)))[0]


def test_what_is_shown():
    assert conditions.middle([8, 3, 1.5, 0.75, 3]) == 3 and conditions.middle([2]) == 2
    assert conditions.dense([0.1, 0.5, 0.55]) == 0.5 and conditions.dense([0.52, 0.55]) == 0.52
    assert list(conditions.spread(np.arange(10))) == [0, 3, 6, 9] and list(conditions.spread([5, 5])) == [5]
    assert slices._best(scores(), "learned") == "ours" and slices._best(scores(), "classical") == "log"
    assert slices._best(scores(methods={}), "learned") is None
