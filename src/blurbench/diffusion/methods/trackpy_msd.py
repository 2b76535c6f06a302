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
from blurbench.diffusion.intervals import from_linear
from blurbench.diffusion.localise import window
from blurbench.diffusion.stack_estimates import blur, stacks
from blurbench.microscopy.camera import to_photons

SPREADS = 6  # search range in SDs of a step at the largest D of the dataset's range


class TrackpyMsd:
    kind = "classical"
    trains = False

    def predict(self, dataset, model, device):
        logging.getLogger("trackpy").setLevel(logging.ERROR)
        spec, pixel = dataset.spec, dataset.spec["imaging"]["pixel_size_um"]
        diameter = 2 * min(window(spec), 5) + 1
        pairs = []
        for stack, row in stacks(dataset):
            features = _locate(to_photons(stack, spec["imaging"]["camera"]), diameter)
            step = SPREADS * np.sqrt(2 * max(spec["D_um2_s"]) * row.frame_time_s) / pixel
            pairs.append(_slope(features, step, pixel, row, blur(row, spec)))
        return from_linear(*np.array(pairs, float).reshape(-1, 2).T)


def _locate(photons, diameter):
    frames = []
    for t, frame in enumerate(photons):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # trackpy warns of frames without a feature: they are the lost ones
            found = trackpy.locate(frame - frame.min(), diameter, topn=1, characterize=False, engine="numba")
        frames.append(found.assign(frame=t))
    return pd.concat(frames, ignore_index=True)


def _slope(features, step, pixel, row, R):
    """D and its standard error of the longest track."""
    if len(features) < 3:
        return np.nan, np.nan
    tracks = trackpy.link(features, step, memory=int(row.frames))
    longest = tracks[tracks["particle"] == tracks["particle"].mode()[0]]
    lags = max(2, int(row.frames) // 4)
    msd = trackpy.imsd(longest, pixel, 1 / row.frame_time_s, max_lagtime=lags).iloc[:, 0].dropna()
    if len(msd) < 2:
        return np.nan, np.nan
    D = np.polyfit(msd.index, msd.to_numpy(), 1)[0] / 4
    positions = longest.set_index("frame")[["y", "x"]].reindex(range(int(row.frames))).to_numpy() * pixel
    return D, msd_sd(D, cve_sigma(positions, R), row.frame_time_s, int(row.frames), lags, blur=R)
