"""A calibration that is missing, impossible or another than the file's own is refused."""

import pytest

from blurbench.microscopy.calibration import check_calibration
from blurbench.microscopy.recording_error import RecordingError

CALIBRATION = {
    "pixel_size_um": 0.2,
    "frame_time_s": 0.05,
    "exposure_s": 0.05,
    "gain": 2.0,
    "offset": 100.0,
    "polarity": "bright",
}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("pixel_size_um", None), ("pixel_size_um", 0), ("pixel_size_um", "0.2 um"), ("frame_time_s", -1),
        ("frame_time_s", float("nan")), ("exposure_s", 0.06), ("exposure_s", None), ("gain", 0), ("gain", None),
        ("gain", "guess"), ("offset", float("inf")), ("offset", None), ("polarity", "grey"), ("polarity", None),
    ],
)  # fmt: skip
def test_missing_or_impossible_calibration(key, value):
    check_calibration(CALIBRATION, "a.tif")
    with pytest.raises(RecordingError, match=f"a.tif: {key}: found .*, expected "):
        check_calibration({**CALIBRATION, key: value}, "a.tif")
