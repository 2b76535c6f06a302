"""The movies of a recording, one or several that are pooled: each is tracked, cut and rid of its drift for itself.

Tracks of all are counted on, so that no two have one number. What is measured of tracks then holds for all together, as
long as the movies are of one D: `differ` says where they are not.
"""

import logging
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from blurbench.diffusion import drift, tracking
from blurbench.diffusion.ensemble_msd import ensemble_msd
from blurbench.diffusion.intervals import Z
from blurbench.diffusion.movie import Movie, open_movie
from blurbench.diffusion.track_resampling import FEWEST
from blurbench.diffusion.tracking import NothingFound
from blurbench.microscopy.photon_transfer import Transfer, median
from blurbench.planning import pooled

LEVEL = 0.01  # of the test that movies are of one D
TOLD = 6  # remarks on single movies that stand beside the answers; the log has all

log = logging.getLogger(__name__)


class Cut(NamedTuple):
    """What is cut from the movies of a recording.

    spots : what `tracking.find` returned, of all movies; with `movie`, the number of the file, if there are several
    images, items, counts : as of `tracking.cut`; items with `file`, a number in `files`, if these are not empty
    remarks : sentences on what makes the answers doubtful, with the file before them if there are several, TOLD at most
    transfer : of the detector; of several movies, each of which goes by its own, the medians
    files : names of what the stacks are of: movies that are pooled, or stacks that were cut already; else empty
    """

    spots: pd.DataFrame
    images: np.ndarray
    items: pd.DataFrame
    counts: dict[str, int]
    remarks: list[str]
    transfer: Transfer
    files: list[str]


def cut(recording: dict, imaging: dict) -> Cut:
    """Track every movie of a recording and cut its stacks.

    A movie in which nothing is found is left out of several, with a remark.

    Parameters
    ----------
    recording : entry of the configuration
    imaging : the `imaging` entry of the dataset whose models apply, expanded

    Raises
    ------
    RecordingError for whatever is wrong with any movie; all are read through before the first is tracked.
    """
    several = len(pooled.files(recording)) > 1
    parts: list[Cut] = []
    empty, tracks, names = [], 0, 0
    for number, movie in enumerate(_judged(recording, imaging)):
        try:
            part = _of_one(movie, imaging, several)
        except NothingFound as reason:
            if not several:
                raise
            empty.append(reason)
            continue
        part.items["particle"] += tracks
        spots = part.spots.assign(particle=part.spots["particle"] + tracks)
        if part.files:
            part.items["file"] += names
        parts.append(part._replace(spots=spots.assign(movie=number) if several else spots))
        tracks, names = int(spots["particle"].max()) + 1, names + len(part.files)
    if not parts:
        raise empty[0]
    whole = _together(parts)
    remarks = [*(f"nothing measured: {reason}" for reason in empty), *whole.remarks]
    for remark in remarks:
        log.warning("%s", remark)
    more = [f"{len(remarks) - TOLD} more remarks on single movies in the log of prepare"] if len(remarks) > TOLD else []
    return whole._replace(remarks=[*remarks[:TOLD], *more])


def _judged(recording, imaging) -> Iterator[Movie]:
    """Movies of a recording, one at a time. Several are read twice: what is wrong with the last is told at once."""
    entries = list(pooled.entries(recording))
    if len(entries) > 1:
        for entry in entries:
            tracking.check(open_movie(entry), imaging)
    return map(open_movie, entries)


def _of_one(movie, imaging, several) -> Cut:
    """What is cut from one movie."""
    file, fewest = movie.spec["file"], int(np.min(imaging["frames"]))
    log.info("%s: %s", file, movie.transfer)
    spots = tracking.find(movie, movie.spec["tracking"], fewest)
    images, items, counts = tracking.cut(movie, spots, imaging)
    remarks = [*drift.remarks(spots, movie.spec), *_saturation(movie, counts)]
    files = [file] if several else []
    if movie.of_stacks:
        stack, items[["y", "x"]] = movie.frames.places(items[["y", "x"]].to_numpy())
        files = [f"{file}/{name}" if several else name for name in movie.frames.names]
        items["file"] = stack
    elif several:
        items["file"] = 0
    remarks = [f"{file}: {remark}" for remark in remarks] if several else remarks
    return Cut(spots, images, items, counts, remarks, movie.transfer, files)


def _saturation(movie, counts):
    """What a saturated detector does to the answers, in a sentence if it is."""
    if movie.ceiling is None:
        return []
    stacks = f"{counts['saturated']} of {counts['saturated'] + counts['cut']} stacks reach it and are left out"
    return [f"{movie.ceiling}: {stacks}, sharp spots of slow molecules before others"]


def _together(parts: list[Cut]) -> Cut:
    """What is cut from several movies as if from one."""
    if len(parts) == 1:
        return parts[0]
    spots, images, items, counts, remarks, transfers, files = zip(*parts)
    return Cut(
        pd.concat(spots, ignore_index=True),
        np.concatenate(images),
        pd.concat(items, ignore_index=True),
        {key: sum(count[key] for count in counts) for key in counts[0]},
        [remark for some in remarks for remark in some],
        median(transfers),
        [file for some in files for file in some],
    )


def each(spots: pd.DataFrame, recording: dict) -> Iterator[tuple[str, pd.DataFrame]]:
    """File and spots of each movie of a recording in which some were found."""
    files = pooled.files(recording)
    if "movie" not in spots:
        yield files[0], spots
        return
    for number, own in spots.groupby("movie"):
        yield files[int(number)], own


def still(spots: pd.DataFrame, recording: dict) -> pd.DataFrame:
    """Spots (y, x), each movie's without its drift where the entry asks for that. Raises as `drift.common_drift`."""
    return pd.concat([drift.still(own, {**recording, "file": file}) for file, own in each(spots, recording)])


def D_of_each(spots: pd.DataFrame, recording: dict, resamples: int, seed: int) -> pd.DataFrame:
    """D of the paths of each movie by itself: D_linear in the columns of `ensemble_msd`, with `file`.

    Of a recording of one movie, whose D is that of all, there is no row.

    Parameters
    ----------
    spots : of all movies, without the drift
    recording : entry of the configuration
    resamples, seed : of the bootstrap over tracks
    """
    if "movie" not in spots:
        return pd.DataFrame()
    lines = []
    for file, own in each(spots, recording):
        table = ensemble_msd(own, recording, resamples, seed)
        lines.append(table[table["quantity"] == "D_linear"].assign(quantity="D_linear_of_movie", file=file))
    return pd.concat(lines, ignore_index=True)


def differ(by_movie: pd.DataFrame) -> list[str]:
    """Sentences where movies are not of one D, and where they are too few to tell how movies of their sample differ.

    What is pooled of movies that differ depends on how many tracks each has. Intervals over the tracks of a few movies
    are of these alone. The test is Cochran's Q (1954, Biometrics 10:101) of the logarithms, with errors from the
    intervals; so movies without one, of too few tracks, have no part in it.

    by_movie : what `D_of_each` returned
    """
    if by_movie.empty:
        return []
    n, known = len(by_movie), by_movie[by_movie["ci_low"] > 0]
    alone = f"intervals are those of these {n} movies alone: from {FEWEST} on they hold how movies of a sample differ"
    few = [alone] if n < FEWEST else []
    if len(known) < 2:
        return few
    from statsmodels.stats.meta_analysis import combine_effects  # a second that a single movie does not wait for

    ln_D = np.log(known["value"])
    sd = (np.log(known["ci_high"]) - np.log(known["ci_low"])) / (2 * Z["95"])
    p = combine_effects(ln_D.to_numpy(), sd.to_numpy() ** 2).test_homogeneity().pvalue
    if p > LEVEL:
        return few
    low, high = known.loc[ln_D.idxmin()], known.loc[ln_D.idxmax()]
    ends = f"{low['value']:.2g} in {low['file']} to {high['value']:.2g} um2/s in {high['file']}"
    return [f"the movies are not of one D (p {p:.2g}), from {ends}", *few]
