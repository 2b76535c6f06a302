"""How small a sphere a method still tracks: where F1 crosses a level between the conditions of the test grid.

The size enters through the width of the PSF in diameters, σz/d: spheres are drawn with equally many voxels whatever
their size, so a small one is a blurred one. Between the cells of the grid F1 is linear in σz/d and in the logarithm of
the CNR, and 1/d linear in σz/d, which for a PSF of one width is no approximation.
"""

import numpy as np
import pandas as pd

from blurbench.planning.method import KINDS
from blurbench.scoring.scores import RANKED, Scores
from blurbench.scoring.statistics import FEWEST, percentiles
from blurbench.tables.rendering import few
from blurbench.tables.settings import Settings

LEVEL = 0.95
CONTRASTS = 2  # the highest ones, shown in the summary
NONE = 2  # times the largest sphere tested: what "not even that one" counts as where sizes are averaged to sort methods

TITLE = "the smallest particle that each method still tracks"
CAPTION = (
    f"Diameter in µm of the smallest spheres that a method still tracks, F1 of at least {LEVEL:g}, linear between the "
    "sizes of the test grid. ≤: at the smallest one tested as well. >: at none; the number is the largest tested. The "
    f"95 % intervals, a bootstrap within each cell and absent with fewer than {FEWEST} volumes in one, are in the CSV."
)


def surface(scores: Scores, phi, resamples=0, seed=1):
    """Mean F1 over the plane of σz/d and CNR at one volume fraction, a failed volume counting as 0.

    Parameters
    ----------
    scores : of one dataset
    phi : float, a value of the grid
    resamples, seed : of the bootstrap within the cells

    Returns
    -------
    sigma_z_d (k,), cnr (l,) : ascending
    f1 : (m, l, k), m methods; NaN where there is no volume
    resampled : (resamples, m, l, k); NaN also where a cell holds fewer volumes than an interval asks for
    """
    items, draws = scores.items, scores.resampling(resamples, seed)
    here = (items["phi"] == phi).to_numpy()
    sigma_z_d, cnr = (np.unique(items[name][here]) for name in ("sigma_z_d", "cnr"))
    f1 = np.full((len(scores.methods), len(cnr), len(sigma_z_d)), np.nan)
    resampled = np.full((resamples, *f1.shape), np.nan)
    for i, j in np.ndindex(f1.shape[1:]):
        cell = here & (items["cnr"] == cnr[i]).to_numpy() & (items["sigma_z_d"] == sigma_z_d[j]).to_numpy()
        if cell.any():
            result = scores.take(cell).replicates("f1", "mean", draws.take(cell))
            f1[:, i, j] = result.value
            if cell.sum() >= FEWEST:
                resampled[:, :, i, j] = result.resampled
    return sigma_z_d, cnr, f1, resampled


def last_crossing(x, values, level=LEVEL):
    """The largest x at which a function is at least `level`.

    Parameters
    ----------
    x : (k,) ascending;  values : (..., k) there, linear in between; NaN where it is not known

    Returns
    -------
    (...,) : the last of x where the function ends above the level, NaN where it is nowhere above it
    """
    x, values = np.asarray(x, float), np.asarray(values, float)
    above = values >= level
    last = len(x) - 1 - np.argmax(above[..., ::-1], axis=-1)
    after = np.minimum(last + 1, len(x) - 1)
    high, low = (np.take_along_axis(values, at[..., None], -1)[..., 0] for at in (last, after))
    falls = high > low  # not at the end, nor before a gap
    share = np.where(falls, (high - level) / np.where(falls, high - low, 1), 0)
    return np.where(above.any(axis=-1), x[last] + share * (x[after] - x[last]), np.nan)


def diameters(sigma_z_d, grid, sizes_um):
    """Diameters in µm at σz/d, from those of the test grid.

    Parameters
    ----------
    sigma_z_d : array within the grid; NaN, for none of the sizes, gives inf
    grid : (k,) σz/d of the test items, ascending;  sizes_um : k sizes of the configuration, in any order

    Raises
    ------
    ValueError if there are not as many sizes as values of σz/d.
    """
    sizes_um = np.sort(np.asarray(sizes_um, float))[::-1]
    if len(sizes_um) != len(grid):
        raise ValueError(f"{len(grid)} values of σz/d in the scores, {len(sizes_um)} sizes in the configuration")
    return np.where(np.isnan(sigma_z_d), np.inf, 1 / np.interp(sigma_z_d, grid, 1 / sizes_um))


def smallest_particle(scores: Scores, sizes_um, level=LEVEL, resamples=0, seed=1) -> pd.DataFrame:
    """Smallest spheres with F1 of at least `level`, per method, volume fraction and CNR.

    Parameters
    ----------
    scores : of one dataset
    sizes_um : diameters of its test grid
    level : of F1
    resamples, seed : of the bootstrap behind the intervals; without any they are NaN

    Returns
    -------
    DataFrame: method, kind, phi, cnr, sigma_z_d (the largest that is still tracked, NaN if none is),
    particle_size_um, ci_low, ci_high (µm; the size at that σz/d, inf if none is tracked), smallest_tested_um,
    largest_tested_um, n_items (volumes of the smallest cell)
    """
    parts = []
    for phi in np.unique(scores.items["phi"]):
        grid, contrasts, f1, resampled = surface(scores, phi, resamples, seed)
        reached = last_crossing(grid, f1, level)
        tried = np.isfinite(resampled).all(axis=-1)  # (b, m, l)
        sizes = np.where(tried, diameters(last_crossing(grid, resampled, level), grid, sizes_um), np.nan)
        size = diameters(reached, grid, sizes_um)
        low, high = np.full((2, *size.shape), np.nan)
        if resamples:
            low, high = percentiles(size, sizes)
        for i, cnr in enumerate(contrasts):
            parts.append(
                scores.methods[["method", "kind"]].assign(
                    phi=phi,
                    cnr=cnr,
                    sigma_z_d=reached[:, i],
                    particle_size_um=size[:, i],
                    ci_low=low[:, i],
                    ci_high=high[:, i],
                    smallest_tested_um=np.min(sizes_um),
                    largest_tested_um=np.max(sizes_um),
                    n_items=np.bincount(scores.cells).min(),
                )
            )
    return pd.concat(parts, ignore_index=True)


def table(scores: list[Scores], given: Settings) -> pd.DataFrame:
    """`smallest_particle` of every dataset, with its name in front."""
    parts = []
    for one in scores:
        sizes = given.datasets[one.dataset]["test_particle_size_um"]
        parts.append(smallest_particle(one, sizes, resamples=given.resamples, seed=given.seed))
        parts[-1].insert(0, "dataset", one.dataset)
    return pd.concat(parts, ignore_index=True)


def blocks(table):
    """(heading, note, rows of strings) of each dataset: a row per method, a column per volume fraction and CNR."""
    order = "Sizes in µm. The methods that track the smallest spheres on average come first; bold: the best one."
    for dataset, part in table.groupby("dataset", sort=False):
        fewest = part.n_items.min()
        note = f"{order} {fewest} volumes a cell{': too few for a claim' if few(fewest) else ''}."
        part = part.assign(ranked=part.kind.isin(RANKED), order=part.kind.map(KINDS.index))
        part["order"] = part.order.where(~part.ranked, 0)
        part["counts"] = part.particle_size_um.replace(np.inf, NONE * part.largest_tested_um.max())
        methods = part.groupby(["order", "method", "kind"])["counts"].mean().reset_index()
        methods = methods.sort_values(["order", "counts", "method"])
        rows = methods[["method", "kind"]].reset_index(drop=True)
        for (phi, _), cell in part.assign(falling=-part.cnr).groupby(["phi", "falling"]):
            best = cell.particle_size_um[cell.ranked].min()
            text = {row.method: _size(row, row.ranked and row.particle_size_um == best) for row in cell.itertuples()}
            rows[f"φ {phi:g}, CNR {cell.cnr.iloc[0]:g}"] = rows.method.map(text)
        yield dataset, note, rows


def _size(row, bold):
    """A size as it is read, with "≤" and ">" at the ends of what was tested."""
    if np.isinf(row.particle_size_um):
        return f"> {row.largest_tested_um:.3g}"
    smallest = row.particle_size_um < row.smallest_tested_um * (1 + 1e-9)  # it is 1 / (1 / size)
    text = f"≤ {row.smallest_tested_um:.3g}" if smallest else f"{row.particle_size_um:.3g}"
    return f"**{text}**" if bold else text


def summary(table):
    """`blocks` of the datasets with several sizes, at their highest CNRs."""
    several = table[table.smallest_tested_um < table.largest_tested_um]
    ranks = several.groupby("dataset")["cnr"].rank(method="dense", ascending=False)
    yield from blocks(several[ranks <= CONTRASTS])
