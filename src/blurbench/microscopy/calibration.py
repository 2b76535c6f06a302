"""What the configuration says of a recording's microscope, refused where it is missing, impossible or contradicted."""

from typing import Any

import numpy as np

from blurbench.microscopy.recording_error import RecordingError

ESTIMATE = "estimate"
FILE, MINE = "file", "mine"  # whose calibration counts where they differ
TOLERANCE = 0.01  # relative difference of the file's metadata from the configuration's calibration


def check_calibration(spec: dict, file) -> None:
    """Refuse a movie's entry whose calibration is missing or impossible.

    Raises
    ------
    RecordingError naming the first key that is wrong.
    """
    for key, unit in (("pixel_size_um", "µm"), ("frame_time_s", "s"), ("exposure_s", "s")):
        check_positive(spec, file, key, unit)
    if spec["exposure_s"] > spec["frame_time_s"] * (1 + 1e-9):
        raise RecordingError(
            file, "exposure_s", spec["exposure_s"], f"at most the frame time of {spec['frame_time_s']} s"
        )
    check_camera(spec, file)


def check_positive(spec: dict, file, key, unit, n=None) -> None:
    """Refuse an entry whose value is not a number above 0, or not a list of n of them. Raises RecordingError."""
    values: Any = [spec.get(key)] if n is None else spec.get(key)
    expected = f"a number above 0 ({unit})" if n is None else f"{n} numbers above 0 ({unit})"
    is_list = isinstance(values, (list, tuple, np.ndarray)) and len(values) == (n or 1)
    if not is_list or not all(_is_number(v) and v > 0 for v in values):
        raise RecordingError(file, key, _shown(spec, key), expected)


def check_camera(spec: dict, file) -> None:
    """Refuse an entry whose gain, offset or polarity is missing or impossible. Raises RecordingError."""
    for key, possible, words in (
        ("gain", lambda v: v > 0, "above 0 (ADU per electron)"),
        ("offset", np.isfinite, "(ADU)"),
    ):
        if spec.get(key) != ESTIMATE and not (_is_number(spec.get(key)) and possible(spec[key])):
            raise RecordingError(file, key, _shown(spec, key), f"a number {words}, or {ESTIMATE!r}")
    if spec.get("polarity") not in ("bright", "dark"):
        raise RecordingError(
            file, "polarity", _shown(spec, "polarity"), "bright (objects lighter than their surroundings) or dark"
        )


def check_metadata(file, key, stated, inside, trust=FILE) -> None:
    """Refuse a calibration that differs from what the file says of itself, None where it is silent.

    trust : key `calibration` of the entry: MINE for whoever knows better than the file
    """
    if trust != MINE and inside is not None and abs(inside / stated - 1) > TOLERANCE:
        expected = f"{inside:g} as in the file's own metadata, or calibration: {MINE} beside it"
        raise RecordingError(file, key, f"{stated:g} in the configuration", expected)


def _is_number(value):
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool) and np.isfinite(value)


def _shown(spec, key):
    return repr(spec[key]) if spec.get(key) is not None else "nothing"
