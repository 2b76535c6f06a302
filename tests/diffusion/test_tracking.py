"""From a movie to stacks: spots of known D found, linked and cut."""

import numpy as np
import pandas as pd
import pytest
from beads import BACKGROUND, CAMERA, FIELD, FRAME_TIME, FWHM, PHOTONS, PIXEL, SPACING, SPEC, D

from blurbench.diffusion import estimators, tracking
from blurbench.diffusion.movie import open_movie
from blurbench.microscopy.recording_error import RecordingError


def test_every_spot_is_found_and_linked(tracked):
    spots, _ = tracked
    assert spots[spots["kept"]]["particle"].nunique() == (FIELD // SPACING) ** 2
    assert spots["kept"].mean() > 0.95


def test_two_processes_find_what_one_finds(recording, tracked, monkeypatch):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "2")
    spots = tracking.find(open_movie(recording), recording["tracking"], int(np.min(SPEC["imaging"]["frames"])))
    pd.testing.assert_frame_equal(spots, tracked[0], check_exact=True)


def test_stacks_look_like_simulated_ones(tracked):
    _, stacks = tracked
    assert stacks.images.shape == (len(stacks), 20, 24, 24) and stacks.images.dtype == np.uint16
    assert len(stacks) >= 20 and not stacks.truth
    known = {"photons", "background", "fwhm_um", "frame_time_s", "exposure_s", "frames"}
    assert known | {"spot_fwhm_um", "contrast", "noise"} <= set(stacks.items)
    assert stacks.items["photons"].median() == pytest.approx(PHOTONS, rel=0.05)
    assert stacks.items["background"].median() == pytest.approx(BACKGROUND, rel=0.1)
    # The blur of the path widens the spot by D t/3 per axis.
    blurred = np.sqrt(FWHM**2 + tracking.FWHM**2 * D * FRAME_TIME / 3)
    assert stacks.items["spot_fwhm_um"].median() == pytest.approx(blurred, rel=0.03)


def test_spot_starts_at_the_centre_but_for_rounding(tracked):
    _, stacks = tracked
    first = stacks.images[:][:, 0].astype(float) - CAMERA["offset"] - BACKGROUND
    centre = np.stack([(first * axis).sum((1, 2)) / first.sum((1, 2)) for axis in np.mgrid[:24, :24] + 0.5], -1) - 12
    assert np.abs(centre).max() < 0.5 + 0.35  # half a pixel, and what noise does to a centre of mass
    assert np.abs(centre.mean(axis=0)).max() < 0.2


def test_pieces_do_not_share_frames(tracked):
    _, stacks = tracked
    for _, pieces in stacks.items.groupby("particle"):
        starts = pieces["frame"].sort_values().to_numpy()
        assert (np.diff(starts) >= pieces["frames"].iloc[0]).all()


def test_median_D_by_a_classical_method(tracked):
    """CVE on trackpy's positions of each stack: relative SD 0.4 each, 0.1 for the median of these correlated pieces."""
    spots, stacks = tracked
    found = []
    for piece in stacks.items.itertuples():
        track = spots[spots["particle"] == piece.particle].set_index("frame")[["y", "x"]]
        path = track.reindex(range(piece.frame, piece.frame + piece.frames)).to_numpy() * PIXEL
        found.append(estimators.cve(path, FRAME_TIME))
    assert np.median(found) == pytest.approx(D, rel=0.25)


STILL = np.zeros((200, 2), int)  # no drift


def spot_table(*paths):
    rows = [(y, x, frame, k) for k, path in enumerate(paths) for frame, (y, x) in path.items()]
    return pd.DataFrame(rows, columns=["y", "x", "frame", "particle"]).assign(kept=True)


def test_pieces_are_dropped_for_a_reason():
    alone = {t: (40.0, 40.0) for t in range(10)}
    edge = {t: (4.0, 40.0) for t in range(10)}
    holes = {t: (40.0, 90.0) for t in range(10) if t in (0, 1, 9)}
    visited, visitor = {t: (90.0, 40.0) for t in range(10)}, {5: (95.0, 44.0)}
    spots = spot_table(alone, edge, holes, visited, visitor)
    pieces, counts = tracking.segments(spots, (10, 10), 20, (128, 128), STILL)
    assert counts == {"cut": 1, "interrupted": 1, "edge": 1, "neighbour": 1}
    assert pieces.iloc[0].to_dict() == {
        "particle": 0,
        "frame": 0,
        "frames": 10,
        "y": 40,
        "x": 40,
        "top": 30,
        "left": 30,
    }


def test_a_range_of_frames_takes_what_is_left():
    pieces, _ = tracking.segments(spot_table({t: (40.0, 40.0) for t in range(14)}), (4, 10), 20, (128, 128), STILL)
    assert pieces["frames"].tolist() == [10, 4]


def test_a_window_that_drifts_out_of_the_movie_is_no_stack():
    carried = np.arange(200)[:, None] * [0, 1]
    pieces, counts = tracking.segments(
        spot_table({t: (40.0, 110.0) for t in range(20)}), (10, 10), 20, (128, 128), carried
    )
    assert counts == {"cut": 0, "interrupted": 0, "edge": 2, "neighbour": 0} and not len(pieces)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"pixel_size_um": 0.4},
            "pixel_size_um: found 0.4, expected 0.35 as in the dataset beads, .*; or a dataset of this microscope",
        ),
        ({"frame_time_s": 0.08}, "frame_time_s: found 0.08"),
        ({"exposure_s": 0.01}, "exposure_s: found 0.01"),
    ],
)
def test_microscope_must_be_the_datasets(tracked, recording, change, message):
    movie = open_movie({**recording, **change})
    with pytest.raises(RecordingError, match=message):
        tracking.cut(movie, tracked[0], SPEC["imaging"])


def test_the_exposure_of_a_range_of_frame_times_shrinks_with_them(tracked, recording):
    """As the simulator has it: what it belongs to is the longest frame time."""
    movie = open_movie(recording)
    share = recording["exposure_s"] / recording["frame_time_s"]
    times = [0.5 * recording["frame_time_s"], 4 * recording["frame_time_s"]]
    imaging = {**SPEC["imaging"], "frame_time_s": times, "exposure_s": share * times[1]}
    tracking.check(movie, imaging)
    with pytest.raises(RecordingError, match="exposure_s: found"):
        tracking.check(movie, {**imaging, "exposure_s": 0.5 * share * times[1]})


def test_nothing_found_is_said(recording):
    movie = open_movie(recording)
    with pytest.raises(RecordingError, match="no spot above 1e\\+09 photons"):
        tracking.find(movie, {**recording["tracking"], "minmass": 1e9}, 20)
    with pytest.raises(RecordingError, match="no track of at least 100 frames"):
        tracking.find(movie, recording["tracking"], 100)


def test_short_or_small_movie_is_refused(tracked, recording):
    movie = open_movie(recording)
    for change in ({"frames": 200}, {"size_px": 300}):
        with pytest.raises(RecordingError, match="found a movie of shape"):
            tracking.cut(movie, tracked[0], {**SPEC["imaging"], **change})
