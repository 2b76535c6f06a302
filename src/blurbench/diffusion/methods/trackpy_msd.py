"""trackpy from end to end: locate, link and individual mean square displacements, as its tutorial does them.

The brightest feature of each frame is kept (there is one molecule), all stacks of a chunk are linked in one call by
leaving a gap between them in time, and D is the slope of a line through the first quarter of the lags.
"""

import logging
import warnings

import numpy as np
import pandas as pd
import trackpy

from blurbench.diffusion.estimators import cve_sigma, msd_sd
from blurbench.diffusion.stack_estimates import estimate_stacks
from blurbench.microscopy import trackpy_steps

SPREADS = 6  # search range in SDs of a step at the largest D of the dataset's range


class TrackpyMsd:
    kind = "classical"
    trains = False

    def predict(self, dataset, model, device):
        logging.getLogger("trackpy").setLevel(logging.ERROR)
        return estimate_stacks(dataset, _estimate)


def _estimate(stack):
    features = _locate(stack.photons, 2 * min(stack.window, 5) + 1)
    step = SPREADS * np.sqrt(2 * max(stack.D_range) * stack.frame_time_s) / stack.pixel_um
    return _slope(features, step, stack)


def _locate(photons, diameter):
    frames = []
    for t, frame in enumerate(photons):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # trackpy warns of frames without a feature: they are the lost ones
            [found] = trackpy_steps.locate(trackpy_steps.smoothed(frame - frame.min(), (diameter, diameter)))
        if len(found):
            y, x, mass = found[np.argmax(found[:, 2])]
            frames.append((y, x, mass, t))
    return pd.DataFrame(frames, columns=["y", "x", "mass", "frame"])


def _slope(features, step, stack):
    """D and its standard error of the longest track."""
    if len(features) < 3:
        return np.nan, np.nan
    pixel, dt, frames, R = stack.pixel_um, stack.frame_time_s, stack.frames, stack.motion_blur
    tracks = trackpy.link(features, step, memory=frames)
    longest = tracks[tracks["particle"] == tracks["particle"].mode()[0]]
    lags = max(2, frames // 4)
    msd = trackpy.imsd(longest, pixel, 1 / dt, max_lagtime=lags).iloc[:, 0].dropna()
    if len(msd) < 2:
        return np.nan, np.nan
    D = np.polyfit(msd.index, msd.to_numpy(), 1)[0] / 4
    positions = longest.set_index("frame")[["y", "x"]].reindex(range(frames)).to_numpy() * pixel
    return D, msd_sd(D, cve_sigma(positions, R), dt, frames, lags, blur=R)
