"""Every figure is drawn, the same each time; contours and smallest particles stand where theory puts them."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from svg import texts

from blurbench import problems
from blurbench.colloids import PROBLEM
from blurbench.colloids.figures import conditions, pair_correlation, slices
from blurbench.colloids.figures.how_low import contour
from blurbench.colloids.tables import smallest
from blurbench.drawing.material import Material, MethodFile
from blurbench.files.datasets import Dataset
from blurbench.scoring.scores import read

PHI, SIZES, CNR = (0.1, 0.5), (1.0, 0.5, 0.33333, 0.25), (8, 3, 1.5, 0.75)  # µm
SIGMA_Z = 0.2  # µm
VOXELS = 10  # a diameter
DATASETS = {"levels": {"test_particle_size_um": list(SIZES)}}
METHODS = {
    "ours": ("learned", 0.0),
    "log": ("classical", -0.02),
    "blind": ("classical", -0.5),
    "oracle": ("limit", 0.1),
}
# F1 = 0.95 + HEIGHT (ln(CNR / 3) - SLOPE (σz/d - 0.4)): it crosses 0.95 at σz/d = 0.4 + ln(CNR / 3) / SLOPE.
HEIGHT, SLOPE = 0.03, 4


pytestmark = pytest.mark.usefixtures("no_warnings")


def draw(figure, path, given):
    problems.find("colloids", f"figures.{figure}.draw")(path, given)


def f1_at(sigma_z_d, cnr):
    return 0.95 + HEIGHT * (np.log(cnr / 3) - SLOPE * (sigma_z_d - 0.4))


def grid(phi=PHI, sizes=SIZES, cnr=CNR, volumes=2):
    """Items of a test grid."""
    rows = [(p, round(SIGMA_Z / s, 3), c, s) for p in phi for s in sizes for c in cnr] * volumes
    table = pd.DataFrame(rows, columns=[*PROBLEM.conditions, "particle_size_um"])
    return table.assign(voxel_um=table.particle_size_um / VOXELS, diameter_px=float(VOXELS))


def score_tables(items, name="levels", methods=METHODS, scatter=0.0):
    """Score tables whose F1 is known; volumes of one cell differ by ±`scatter`."""
    sign = np.where(np.arange(len(items)) < len(items) / 2, 1, -1)
    for method, (kind, shift) in {**methods, "chance": ("control", -0.9)}.items():
        f1 = f1_at(items.sigma_z_d, items.cnr) + shift + scatter * sign
        values = {"f1": f1, "recall": np.clip(f1, 0, 1), "rms_z_d": 0.02 * items.sigma_z_d / 0.2}
        frames = [
            items[list(PROBLEM.conditions)].assign(item=items.index, metric=metric, value=value, status="ok", worst=0.0)
            for metric, value in values.items()
        ]
        yield pd.concat(frames, ignore_index=True).assign(dataset=name, method=method, kind=kind, seed=0)


def scores(**options):
    return read(score_tables(grid(), **options), PROBLEM.conditions)[0]


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
            items = np.linspace(1e3, 1e4, 8)
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
    "learning": {"ours (1.7 min)", "unet3d (1.7 min)", "training items presented"},
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
    found = {"learned": centres[:2] + 0.1}
    slices._slice(ax, "xz", image, item, (centres, np.array([1.0, 1.0, np.nan])), found, np.full(3, 2.0))
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


@pytest.mark.parametrize(
    ("values", "x"),
    [
        ([1, 0.8, 0.5, 0.1], 1.25),
        ([0.5, 1, 0.8, 0.1], 2.25),  # what is lost at the start does not count
        ([1, 1, 1, 0.95], 4),
        ([0.9, 0.9, 0.9, 0.8], np.nan),
        ([0.95, 0.1, 0.1, 0.1], 1),
        ([1, 1, np.nan, 0.1], 2),  # nothing is known of the gap
    ],
)
def test_last_crossing(values, x):
    assert smallest.last_crossing([1, 2, 3, 4], values, 0.95) == pytest.approx(x, nan_ok=True)


def test_smallest_particle_is_where_theory_puts_it():
    table = smallest.smallest_particle(scores(), SIZES)
    ours = table[(table.method == "ours") & (table.phi == 0.1)].set_index("cnr")
    at = 0.4 + np.log(np.array([8, 3, 1.5]) / 3) / SLOPE
    assert ours.sigma_z_d[[8, 3, 1.5]].to_numpy() == pytest.approx(at)
    # 1 / d is linear in σz/d; the grid's third size is rounded to five digits, and σz/d to three.
    assert ours.particle_size_um[[8, 3, 1.5]].to_numpy() == pytest.approx(SIGMA_Z / at, rel=1e-3)
    assert np.isinf(ours.particle_size_um[0.75]) and np.isnan(ours.sigma_z_d[0.75])
    assert np.isinf(table.particle_size_um[table.method == "blind"]).all()
    everywhere = table[(table.method == "oracle") & (table.cnr >= 1.5)]
    assert everywhere.particle_size_um.to_numpy() == pytest.approx(0.25)
    with pytest.raises(ValueError, match="4 values of σz/d in the scores, 2 sizes"):
        smallest.smallest_particle(scores(), SIZES[:2])


def test_intervals_of_the_smallest_particle():
    """Two volumes of a cell, F1 ± 0.01: a resample's mean is off by -0.01, 0 or 0.01, with chances 1/4, 1/2, 1/4."""
    table = smallest.smallest_particle(scores(scatter=0.01), SIZES, resamples=1000)
    row = table[(table.method == "ours") & (table.phi == 0.1) & (table.cnr == 3)].iloc[0]
    # Neighbouring cells are resampled apart: the crossing moves most when both are off to the same side.
    off = 0.01 / (HEIGHT * SLOPE)
    assert [row.ci_low, row.ci_high] == pytest.approx([SIGMA_Z / (0.4 + off), SIGMA_Z / (0.4 - off)], rel=1e-3)
    sure = smallest.smallest_particle(scores(), SIZES, resamples=20)
    finite = np.isfinite(sure.particle_size_um)
    assert sure.ci_low[finite].to_numpy() == pytest.approx(sure.particle_size_um[finite].to_numpy())
    alone = smallest.smallest_particle(read(score_tables(grid(volumes=1)), PROBLEM.conditions)[0], SIZES, resamples=20)
    assert alone[["ci_low", "ci_high"]].isna().all(axis=None)


def test_a_failed_volume_counts_as_none_found():
    tables = list(score_tables(grid(volumes=1)))
    failed = tables[0].index[(tables[0].cnr == 3) & (tables[0].sigma_z_d == 0.2)]
    tables[0].loc[failed, ["value", "status"]] = [np.nan, "out of memory"]
    one = read(tables, PROBLEM.conditions)[0]
    row = list(one.methods.method).index("ours")
    _, cnr, f1, _ = smallest.surface(one, 0.1)
    assert f1[row, 2, 0] == 0 and f1[row, 2, 1] == pytest.approx(f1_at(0.4, 3)) and list(cnr) == sorted(CNR)


def test_the_table_as_people_read_it(tmp_path):
    everything = read([*score_tables(grid()), *score_tables(grid(sizes=(0.5,)), "large")], PROBLEM.conditions)
    table = smallest.table(everything, {**DATASETS, "large": {"test_particle_size_um": [0.5]}}, 20, 1)
    table.to_csv(tmp_path / "smallest.csv", index=False, float_format="%.6g")
    read_back = pd.read_csv(tmp_path / "smallest.csv")
    blocks = {dataset: rows for dataset, _, rows in smallest.blocks(read_back)}
    assert list(blocks["levels"].method) == ["ours", "log", "blind", "oracle", "chance"]
    rows = blocks["levels"].set_index("method")
    assert rows["φ 0.1, CNR 3"].to_dict() == {
        "ours": "**0.5**", "log": "0.857", "blind": "> 1", "oracle": "≤ 0.25", "chance": "> 1"
    }  # fmt: skip
    ((dataset, _, rows),) = smallest.summary(read_back)
    assert dataset == "levels"
    assert list(rows)[2:] == [f"φ {phi:g}, CNR {cnr}" for phi in PHI for cnr in (8, 3)]


def test_what_is_shown():
    assert conditions.middle([8, 3, 1.5, 0.75, 3]) == 3 and conditions.middle([2]) == 2
    assert conditions.dense([0.1, 0.5, 0.55]) == 0.5 and conditions.dense([0.52, 0.55]) == 0.52
    assert list(conditions.spread(np.arange(10))) == [0, 3, 6, 9] and list(conditions.spread([5, 5])) == [5]
    assert slices._best(scores(), "learned") == "ours" and slices._best(scores(), "classical") == "log"
    assert slices._best(scores(methods={}), "learned") is None
