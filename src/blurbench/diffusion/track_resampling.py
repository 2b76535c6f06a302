"""What is drawn for the intervals of a recording: its tracks, or whole movies where enough of them are pooled.

Movies of one sample differ by more than the scatter of their tracks: by temperature, by where they were taken. An
interval over tracks leaves that out, and is sure of what the next movie will contradict.
"""

import pandas as pd

from blurbench.scoring import statistics
from blurbench.scoring.statistics import Resampling, resampling

FEWEST = 5  # movies that tell how movies differ: Student's t of 95 % is 2.8 there, 3.2 for 4 movies and 4.3 for 3


def movie_of(spots: pd.DataFrame) -> pd.Series | None:
    """Number of the movie that each track is of, by particle; None where nothing is pooled.

    spots : what `tracking.find` returned, of all movies
    """
    if "movie" not in spots:
        return None
    return spots.drop_duplicates("particle").set_index("particle")["movie"]


def resampled(particles, movie: pd.Series | None, resamples: int, seed: int) -> Resampling:
    """Resamples of tracks: of FEWEST movies or more by drawing movies, each with all of its tracks.

    Parameters
    ----------
    particles : (n,), the tracks
    movie : what `movie_of` returned
    resamples, seed : of the bootstrap
    """
    own = None if movie is None else movie.reindex(particles)
    if own is None or own.nunique() < FEWEST or len(own) < statistics.FEWEST:
        return resampling(len(particles), resamples, seed)
    return resampling(len(own), resamples, seed, clusters=own, fewest=FEWEST)
