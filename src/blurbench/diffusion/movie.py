"""A movie of spots in photons, the spots as peaks: what a tracker works on."""

from functools import cached_property

import numpy as np
from scipy.fft import irfft2, rfft2
from scipy.ndimage import fourier_shift, median_filter, zoom

from blurbench.microscopy.calibration import check_calibration, check_metadata
from blurbench.microscopy.frames import Frames, read
from blurbench.microscopy.mosaic import Mosaic, read_stacks
from blurbench.microscopy.photon_transfer import photon_transfer, pixel_statistics
from blurbench.microscopy.recording_error import RecordingError
from blurbench.microscopy.saturation import ceiling

SCALE = 8  # spot diameters over which the background is smooth


def frames_of(recording: dict) -> Frames:
    """Frames of a recording's entry: a movie, or a folder of stacks that were cut from movies, side by side."""
    if not recording.get("stacks"):
        return read(recording["file"], series=recording.get("series"), array=recording.get("array"))
    if recording["tracking"]["subtract_drift"]:
        found, expected = "true, and stacks that were cut already", "false: they drift each on their own"
        raise RecordingError(recording["file"], "tracking.subtract_drift", found, expected)
    return read_stacks(recording["file"], recording.get("array"))


def open_movie(recording: dict) -> "Movie":
    """Movie of a recording's entry, its background smooth on the scale of the spots that its `tracking` looks for."""
    return Movie(recording, SCALE * recording["tracking"]["diameter_px"])


class Movie:
    """A movie in photons, spots as peaks: what a tracker works on.

    `signal(i)` is frame i above its background, `photons(i)` the same with the background on, as a camera would see it
    if the spots shone. For bright spots that is the movie itself. Dark spots on a bright field are reflected about the
    smooth background; of the bright field then nothing counts but its noise, so the background put under the spots is
    the level whose shot noise is the movie's (median over pixels of the frame-to-frame variance, photons²).

    Parameters
    ----------
    spec : entry of the configuration
    scale_px : distance beyond which structure is background, some ten spot diameters

    Raises
    ------
    RecordingError for whatever `frames_of`, `check_calibration`, `pixel_statistics` and `photon_transfer` refuse, for a
    file whose own calibration differs from the configuration's by more than 1 %, and for an offset above the
    background.
    """

    def __init__(self, spec: dict, scale_px: float):
        file = spec.get("file")
        check_calibration(spec, file)
        self.frames, self.spec, self.scale_px = frames_of(spec), spec, scale_px
        for key in ("pixel_size_um", "frame_time_s", "exposure_s"):
            check_metadata(file, key, spec[key], getattr(self.frames, key), spec.get("calibration"))
        check_metadata(file, "pixel_size_um", spec["pixel_size_um"], self.frames.row_um, spec.get("calibration"))
        self.pixels = pixel_statistics(self.frames)
        self.transfer = photon_transfer(self.frames, spec["gain"], spec["offset"], self.pixels)
        self._check_offset(file)
        self.sign = 1 if spec["polarity"] == "bright" else -1

    def _check_offset(self, file):
        """Refuse an offset that lies above the background by more than a pixel fluctuates: a unit mixed up, or a guess.

        Half of the pixels would have fewer photons than none.
        """
        middle, noise = np.median(self.pixels.mean), np.sqrt(np.median(self.pixels.noise))
        if self.transfer.offset > middle + noise:
            expected = f"a dark level, at most {middle:.4g} ADU, the median grey value"
            raise RecordingError(file, "offset", f"{self.transfer.offset:g} ADU", expected)

    def __len__(self):
        return len(self.frames)

    @property
    def of_stacks(self):
        """Whether it is made of stacks that were cut already."""
        return isinstance(self.frames, Mosaic)

    @cached_property
    def ceiling(self):
        """Grey value at which the movie saturates: saturation.Ceiling, or None."""
        return ceiling(self.frames, self.pixels.noise > 0)

    def saturated(self, i):
        """Whether each pixel of frame i is at that value; bool (y, x)."""
        if self.ceiling is None:
            return np.zeros(self.frames.shape[1:], bool)
        return (self.frames[i] >= self.ceiling.value) & (self.pixels.noise > 0)

    @cached_property
    def surroundings(self):
        """Smooth background (y, x), ADU: the median over `scale_px` of the mean image."""
        step = max(1, int(self.scale_px // 16))  # a median over some 16 x 16 samples is smooth enough
        coarse = median_filter(self.pixels.mean[::step, ::step], size=max(3, int(self.scale_px / step)), mode="nearest")
        factors = np.array(self.pixels.mean.shape) / coarse.shape
        return zoom(coarse, factors, order=1, mode="nearest", grid_mode=True)

    @property
    def level(self):
        """Background under the spots, photons: scalar for dark spots, (y, x) for bright ones."""
        if self.sign > 0:
            return (self.surroundings - self.transfer.offset) / self.transfer.gain
        return float(np.median(self.pixels.noise)) / self.transfer.gain**2

    def signal(self, i):
        """Frame i above the background, photons, float32 (y, x)."""
        return (self.sign * (self.frames[i] - self.surroundings) / self.transfer.gain).astype(np.float32)

    def photons(self, i, shift=(0, 0)):
        """Frame i, photons, float32 (y, x); spots moved by a shift (pixels), the smooth background left in place."""
        signal = self.signal(i)
        if np.any(shift):
            moved = fourier_shift(rfft2(signal), shift, n=signal.shape[1])
            signal = irfft2(moved, signal.shape).astype(np.float32)
        return signal + np.asarray(self.level, np.float32)
