"""What the methods say about a real recording: D per track, and its median per method.

Where the width of the PSF is known to some accuracy only, every method that goes by it is asked three times: told the
width, and told one that is a standard deviation smaller or larger. An error of the width is the same for all stacks and
does not fall with their number, so what it does to the median is part of the median's interval.
"""

import numpy as np
import pandas as pd

from blurbench.diffusion.ensemble_msd import ensemble_msd
from blurbench.diffusion.intervals import Z
from blurbench.diffusion.known import against_known
from blurbench.diffusion.measurement_picture import draw as draw
from blurbench.diffusion.movies import D_of_each, differ, still
from blurbench.diffusion.populations import ALL, FAST, SLOW, Populations, populations
from blurbench.diffusion.recorded_psf import Width
from blurbench.diffusion.track_resampling import movie_of, resampled
from blurbench.diffusion.training_range import ABOVE, BELOW, bounds, outside, refusal
from blurbench.files.answers import OK
from blurbench.files.datasets import Dataset
from blurbench.running.measurement import Measurement, answers
from blurbench.running.processes import side_by_side
from blurbench.scoring.statistics import replicate

INTERVAL = ["D_lo68", "D_hi68", "D_lo95", "D_hi95"]
SHIFTED = ["D_narrower", "D_wider"]  # were the PSF one standard deviation narrower, wider
ROUNDING = 1e-9  # share of a median: what numbers of double precision move it by
TRIED = 20  # stacks of which a method is asked with half the width and with twice, to see whether it goes by it at all


def measure(recording: dict, items, survey: pd.DataFrame, entries: dict, device: str, resamples: int, seed: int):
    """What the methods find on the stacks of all movies, and the ensemble's mean squared displacement to compare with.

    Parameters
    ----------
    recording : entry of the configuration
    items : Dataset that `preparation.prepare` wrote
    survey : what it returned, the spots of all movies
    entries, device : as in `running.measurement.answers`; what is learned has `trained_on`, that dataset's entry
    resamples, seed : of the bootstrap

    Returns
    -------
    Measurement of what `summarise`, `run` and `ensemble_msd` return, of several movies with what `movies.D_of_each`
    does. Where the tracks are of two D so far apart that none stands for all, each method has a row for the slow and
    one for the fast. Beside the methods stand what `known.against_known` adds if the entry says which D is known,
    one_D_p, of the test against one D, and remark, what makes all of their answers doubtful, empty where nothing does.
    """
    details = run(items, entries, device)
    spots = still(survey, recording)
    found = populations(spots, recording, seed)
    ensemble = ensemble_msd(spots, recording, resamples, seed)
    details["population"] = population = _population(details["particle"], found)
    tables = []
    for name in (each for each in (ALL, SLOW, FAST) if (population == each).any()):
        of_these = spots[_population(spots["particle"], found) == name]
        line = ensemble if name == ALL else ensemble_msd(of_these, recording, resamples, seed)
        some = details[population == name]
        tables.append(summarise(some, line, recording.get("expected_D_um2_s"), resamples, seed, name, movie_of(spots)))
    order = [*entries, "ensemble_msd"]
    table = pd.concat(tables).sort_values(
        "method", key=lambda of: of.map(order.index), kind="stable", ignore_index=True
    )
    if "D_um2_s" in recording:
        table = against_known(table, details, recording["D_um2_s"])
    by_movie = D_of_each(spots, recording, resamples, seed)
    remarks = [*items.spec["remarks"], *([str(found)] if found.differ else []), *differ(by_movie)]
    by_paths = found.D if found.two else ensemble.loc[ensemble["quantity"] == "D_linear", "value"]
    remarks += _beyond_range(by_paths, items.spec["D_um2_s"], recording["dataset"])
    table = table.assign(one_D_p=found.p, remark="; ".join(remarks))
    reference = pd.concat([ensemble, by_movie, populations_table(found), psf_table(items)], ignore_index=True)
    return Measurement(table, details, reference)


def _population(particles, found) -> pd.Series:
    """Of which population the tracks of these particles are, where no single D stands for all."""
    fast = particles.map(found.fast).fillna(False).astype(bool)
    return fast.map({True: FAST, False: SLOW}) if found.two else pd.Series(ALL, particles.index)


def _beyond_range(by_paths, trained, dataset) -> list[str]:
    """Which D (µm²/s) of all paths together lie outside of the range of a dataset, as a sentence."""
    low, high = min(trained), max(trained)
    outside = [f"{D:.2g}" for D in by_paths if D < low or D > high]
    if not outside:
        return []
    range_ = f"{low:g} to {high:g} um2/s, the range of {dataset}"
    return [f"paths of {' and '.join(outside)} lie outside of {range_}: methods that go by it answer with its end"]


def populations_table(found: Populations) -> pd.DataFrame:
    """What the tracks say of being of one D, in the columns of the ensemble's table."""
    values = {"one_D_p": (found.p, ""), "D_slow": (found.D[0], "um2/s"), "D_fast": (found.D[1], "um2/s")}
    values["share_slow"] = (found.share, "")
    rows = [{"quantity": name, "value": value, "unit": unit} for name, (value, unit) in values.items()]
    return pd.DataFrame(rows).assign(n_tracks=len(found.fast))


def psf_table(stacks) -> pd.DataFrame:
    """FWHM of the PSF as stated, as estimated and as told to the methods, in the columns of the ensemble's table."""
    rows = []
    for name, width in stacks.spec["psf"].items():
        value, sd = (width["fwhm_um"], width["known_to"]) if width else (np.nan, np.nan)
        about = {"quantity": f"psf_fwhm_{name}", "value": value, "sd": value * sd, "unit": "um"}
        low, high = (value * np.exp(sign * Z["95"] * sd) for sign in (-1, 1))
        rows.append({**about, "ci_low": low, "ci_high": high, "n_tracks": stacks.items["particle"].nunique()})
    return pd.DataFrame(rows)


def run(stacks, entries: dict, device: str) -> pd.DataFrame:
    """D of every stack by every method.

    Parameters
    ----------
    stacks : Dataset, written by `preparation.prepare`
    entries, device : as in `measure`

    Returns
    -------
    DataFrame, one row per stack and method: item, file (of the movie if several are pooled, or of a stack that was cut
    already), particle, frame, frames,
    y_um, x_um (in the first frame), method, kind, D and its intervals (µm²/s; the geometric mean over training seeds),
    D_narrower and D_wider (the answer if the PSF is one SD narrower or wider; of what all stacks share in that SD),
    bound (as of `training_range.bounds`), outside (what of the stack the method was not trained for), status.
    """
    pixel = stacks.attrs["voxel_size"][-1]
    where = stacks.items[["particle", "frame", "frames"]].assign(
        item=np.arange(len(stacks)), y_um=stacks.items["y"] * pixel, x_um=stacks.items["x"] * pixel
    )
    if "files" in stacks.spec:
        where.insert(0, "file", np.array(stacks.spec["files"], object)[stacks.items["file"]])
    columns = ["item", "D", *INTERVAL, *SHIFTED, "bound", "status"]
    given = side_by_side(_answer, ((stacks, name, entry, device) for name, entry in entries.items()))
    found = []
    for (name, entry), answer in zip(entries.items(), given):
        answer = answer.reindex(columns=columns).assign(method=name, kind=entry["kind"])
        found.append(where.assign(outside=outside(stacks.items, entry).to_numpy()).merge(answer, on="item"))
    columns = ["item", *where.columns.drop("item"), "method", "kind", "D", *INTERVAL, *SHIFTED]
    columns += ["bound", "outside", "status"]
    return pd.concat(found, ignore_index=True)[columns]


def _answer(stacks, name, entry, device):
    """Answers of a method, or why it is not asked."""
    if reason := refusal(stacks, entry):
        return pd.DataFrame({"item": np.arange(len(stacks)), "bound": "", "status": reason})
    return _asked(stacks, name, entry, device)


def _asked(stacks, name, entry, device):
    """Answers of a method, with what it says of a narrower and a wider PSF, and intervals that hold the PSF's error."""
    told, imaging = Width(**stacks.spec["psf"]["told"]), stacks.spec["imaging"]
    if entry["kind"] == "learned":  # networks are told what they were told in training
        imaging = {**stacks.spec["dataset_imaging"], "psf": entry["trained_on"]["imaging"]["psf"]}
    spec = {**stacks.spec, "imaging": imaging}
    answer = _at_width(stacks, spec, told.fwhm_um, name, entry, device)
    answer["bound"] = bounds(answer, entry, spec)  # before what it does not know of widens its interval
    if not told.known_to or not _goes_by_width(stacks, spec, told.fwhm_um, name, entry, device):
        return answer.assign(D_narrower=answer["D"], D_wider=answer["D"])
    for column, sign in zip(SHIFTED, (-1, 1)):
        width = told.fwhm_um * np.exp(sign * told.known_to)
        answer[column] = _at_width(stacks, spec, width, name, entry, device)["D"]
    unaware = told.uncertainty**2 - imaging["psf"].get("known_to", 0.0) ** 2
    return _widened(answer, np.sqrt(unaware) / told.known_to) if unaware > 1e-12 else answer


def _goes_by_width(stacks, spec, fwhm_um, name, entry, device):
    """Whether a method's answers change with the width that it is told, by those to some stacks spread over all.

    What reads paths alone is not asked three times of every stack then.
    """
    rows = np.unique(np.linspace(0, len(stacks) - 1, TRIED).round().astype(int))
    images = np.stack([stacks.images[int(row)] for row in rows])
    some = Dataset(stacks.attrs, images, stacks.items.iloc[rows].reset_index(drop=True), {})
    half, twice = (_at_width(some, spec, times * fwhm_um, name, entry, device) for times in (0.5, 2))
    columns = ["D", *(column for column in INTERVAL if column in half)]
    return not half[columns].equals(twice[columns])


def _at_width(stacks, spec, fwhm_um, name, entry, device):
    """Answers of a method that is told that width of the PSF."""
    told = Dataset({**stacks.attrs, "spec": spec}, stacks.images, stacks.items.assign(fwhm_um=fwhm_um), {})
    (by_seed,) = (found for *_, found in answers(told, {name: entry}, device))
    runs = list(by_seed.values())
    return runs[0] if len(runs) == 1 else _over_seeds(runs)


def _widened(answer, times):
    """Intervals that hold the error of the PSF too, for a method unaware of it: `times` the SD that it was asked at."""
    shift = times * (np.log(answer["D_narrower"]) - np.log(answer["D_wider"])).abs() / 2
    wide = answer.copy()
    for column in INTERVAL:
        z = Z[column[-2:]]
        away = np.hypot(np.log(answer[column] / answer["D"]), z * shift)
        wide[column] = answer["D"] * np.exp(-away if "_lo" in column else away)
    return wide


def _over_seeds(runs):
    """Geometric mean of the training seeds' answers; the first failure speaks for an item."""
    columns = ["D", *(c for c in INTERVAL if c in runs[0])]
    mean = runs[0][["item", "status"]].copy()
    mean[columns] = np.exp(np.mean([np.log(run[columns]) for run in runs], axis=0))
    for run in runs[1:]:
        mean["status"] = mean["status"].where(mean["status"] != OK, run["status"])
    return mean


def summarise(
    measured: pd.DataFrame,
    ensemble: pd.DataFrame,
    expected=None,
    resamples=1000,
    seed=1,
    population=ALL,
    movie: pd.Series | None = None,
) -> pd.DataFrame:
    """Median D per method with its 95 % interval, and the ensemble MSD's D beside it.

    The bootstrap draws tracks, each with all its stacks: stacks of one track are not independent, as spots differ. Of
    many movies it draws these (`track_resampling`), as their tracks are not independent either. What a PSF one SD
    narrower or wider makes of the median is added to its interval in quadrature, 1.96 times. Where most stacks leave
    one side open, so does the median: its interval goes from the other side's median to 0 or infinity.

    Parameters
    ----------
    measured : what `run` returned
    ensemble : what `ensemble_msd` returned
    expected : D known from elsewhere (µm²/s), optional
    population : which of the tracks these are
    movie : number of the movie of each track, by particle, where several are pooled

    Returns
    -------
    DataFrame: method, kind, population, D, ci_low, ci_high (NaN for fewer than eight tracks), bound (the side on which
    D may be anywhere, "below" or "above", else ""), outside (what in how many of its stacks it was not trained for),
    psf_sd (what an SD of the PSF's width moves D by), unit, n_tracks, n_stacks, n_failed, status (of a method without
    any answer: why), and ratio_to_expected if D is expected.
    """
    good = (measured["status"] == OK) & np.isfinite(measured["D"])
    method, names = pd.factorize(measured["method"])
    track, tracks = pd.factorize(measured["particle"])
    stack = measured.groupby(["method", "particle"]).cumcount()
    D = np.full((3, len(names), stack.max() + 1, len(tracks)), np.nan)
    for k, column in enumerate(["D", *SHIFTED]):
        D[k, method, stack, track] = measured[column].where(good)
    medians, *others = (replicate(one, "median", resampled(tracks, movie, resamples, seed)) for one in D)
    shifted = np.array([other.value for other in others]) - medians.value
    moved = np.abs(shifted).max(axis=0) > ROUNDING * np.abs(medians.value)
    low, high = medians.interval()
    low = medians.value - np.hypot(medians.value - low, Z["95"] * np.maximum(-shifted.min(axis=0), 0))
    high = medians.value + np.hypot(high - medians.value, Z["95"] * np.maximum(shifted.max(axis=0), 0))
    sides = [_one_side(measured[good & (method == m)]) for m in range(len(names))]
    for m, (bound, end) in enumerate(sides):
        if bound == BELOW:
            low[m], high[m] = 0.0, np.fmax(high[m], end)
        elif bound == ABOVE:
            low[m], high[m] = np.fmin(low[m], end), np.inf
    line = ensemble.set_index("quantity").loc["D_linear"]
    table = pd.DataFrame(
        {
            "method": [*names, "ensemble_msd"],
            "kind": [*measured.drop_duplicates("method")["kind"], "ensemble"],
            "population": population,
            "D": [*medians.value, line["value"]],
            "ci_low": [*low, line["ci_low"]],
            "ci_high": [*high, line["ci_high"]],
            "bound": [*(bound for bound, _ in sides), ""],
            "outside": [*(_not_trained_for(measured["outside"][method == m]) for m in range(len(names))), ""],
            "psf_sd": [*np.where(moved, np.ptp(shifted, axis=0) / 2, 0.0), 0.0],
            "unit": "um2/s",
            "n_tracks": [*np.isfinite(D[0]).any(axis=1).sum(axis=1), int(line["n_tracks"])],
            "n_stacks": [*np.isfinite(D[0]).sum(axis=(1, 2)), 0],
            "n_failed": [*(~good).groupby(method).sum(), 0],
            "status": [*(_status(measured["status"][method == m]) for m in range(len(names))), OK],
        }
    )
    return table if expected is None else table.assign(ratio_to_expected=table["D"] / expected)


def _one_side(answers):
    """The side that most answers of a method leave open, and the median of their intervals' other ends."""
    for bound, end in ((BELOW, "D_hi95"), (ABOVE, "D_lo95")):
        if (answers["bound"] == bound).mean() > 0.5:
            return bound, answers[end].median()
    return "", np.nan


def _not_trained_for(flags):
    """What a method was not trained for, in how many of its stacks."""
    count = flags[flags != ""].value_counts()
    return "; ".join(f"{name}: {n} of {len(flags)} stacks" for name, n in count.items())


def _status(statuses):
    """What a method says of all stacks together: why, where none has an answer."""
    return OK if (statuses == OK).any() else statuses.iloc[0]
