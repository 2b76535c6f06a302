"""The smallest particles that a method tracks stand where theory puts them."""

import warnings

import numpy as np
import pytest
from levels import CNR, DATASETS, HEIGHT, PHI, SIGMA_Z, SIZES, SLOPE, f1_at, grid, score_tables, scores
from scipy import stats

from blurbench.colloids import PROBLEM
from blurbench.colloids.tables import smallest
from blurbench.files import tables
from blurbench.scoring.scores import read
from blurbench.tables.settings import Settings


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ResourceWarning)  # of what another test left to be collected
        yield


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
    """Eight volumes of a cell, F1 ± 0.01: seven are drawn, so a resample's mean is off by a binomial law of seven."""
    volumes, off = stats.binom(7, 0.5), 0.01 * (2 * np.arange(8) - 7) / 7
    # The crossing lies on a size of the grid. Cells are resampled apart: its own error, and that of the neighbour.
    own, neighbour = np.meshgrid(off, off)
    slope = np.where(own >= 0, own + HEIGHT * SLOPE * 0.2 - neighbour, neighbour + HEIGHT * SLOPE * 0.2 - own)
    size = SIGMA_Z / (0.4 + 0.2 * own / slope)
    chance = np.outer(volumes.pmf(np.arange(8)), volumes.pmf(np.arange(8)))
    one = read(score_tables(grid(volumes=8), scatter=0.01), PROBLEM.conditions)[0]
    table = smallest.smallest_particle(one, SIZES, resamples=4000)
    row = table[(table.method == "ours") & (table.phi == 0.1) & (table.cnr == 3)].iloc[0]
    assert 0.93 < chance[(row.ci_low - 1e-3 < size) & (size < row.ci_high + 1e-3)].sum() < 0.98
    sure = read(score_tables(grid(volumes=8)), PROBLEM.conditions)[0]
    sure = smallest.smallest_particle(sure, SIZES, resamples=20)
    finite = np.isfinite(sure.particle_size_um)
    assert sure.ci_low[finite].to_numpy() == pytest.approx(sure.particle_size_um[finite].to_numpy())
    few = smallest.smallest_particle(scores(), SIZES, resamples=20)
    assert few[["ci_low", "ci_high"]].isna().all(axis=None)


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
    table = smallest.table(everything, Settings({**DATASETS, "large": {"test_particle_size_um": [0.5]}}, 20, 1))
    tables.write(table, tmp_path / "smallest.csv")
    read_back = tables.read(tmp_path / "smallest.csv")
    blocks = {dataset: rows for dataset, _, rows in smallest.blocks(read_back)}
    assert list(blocks["levels"].method) == ["ours", "log", "blind", "oracle", "chance"]
    rows = blocks["levels"].set_index("method")
    assert rows["φ 0.1, CNR 3"].to_dict() == {
        "ours": "**0.5**", "log": "0.857", "blind": "> 1", "oracle": "≤ 0.25", "chance": "> 1"
    }  # fmt: skip
    ((dataset, _, rows),) = smallest.summary(read_back)
    assert dataset == "levels"
    assert list(rows)[2:] == [f"φ {phi:g}, CNR {cnr}" for phi in PHI for cnr in (8, 3)]
