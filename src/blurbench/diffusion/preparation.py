"""From movies to the stacks that methods take: one around every track of a spot, as a dataset without truth."""

import logging

import numpy as np
import pandas as pd

from blurbench.diffusion import movies, recorded_psf
from blurbench.diffusion.items import stack
from blurbench.diffusion.recorded_psf import Undetermined, Width
from blurbench.microscopy.recording_error import RecordingError
from blurbench.planning import pooled
from blurbench.running.preparation import write

DISAGREEMENT = 3  # SDs between the stated and the estimated width that are worth a warning

log = logging.getLogger(__name__)


def prepare(recording: dict, spec: dict, store, manifest) -> pd.DataFrame:
    """Find and link the spots of all movies and write a stack around every track, as a dataset without truth.

    The dataset's `imaging` is that of the recording: its photons, its background and its PSF, which is the stated one
    or the one that `recorded_psf.estimate` finds. Beside it stand `dataset_imaging`, that of the dataset whose
    models apply, `psf`, {"told", "stated", "estimated"}: each the fields of a `recorded_psf.Width`, or None, `remarks`,
    sentences on what makes the answers doubtful, and `files`, the names of what the stacks are of where that is more
    than one movie: the items' column `file` counts them.

    Parameters
    ----------
    recording : entry of the configuration
    spec : expanded entry of the dataset whose models apply
    store, manifest : paths to write

    Returns
    -------
    DataFrame, what `tracking.find` returned; of several movies one after the other, with `movie`, the file's number.

    Raises
    ------
    RecordingError for whatever is wrong with a movie, its calibration or its settings, and where the PSF is neither
    stated nor to be found in the stacks.
    """
    cut = movies.cut(recording, spec["imaging"])
    items = cut.items
    imaging = spec["imaging"] | {key: _range(items[key]) for key in ("photons", "background")}
    widths = _widths(recording, cut.images, items, {**spec, "imaging": imaging})
    told = widths["told"]
    psf = recording.get("psf", {"kind": "gaussian", "fwhm_um": told.fwhm_um})
    imaging["psf"] = {**psf, "known_to": told.uncertainty}
    items["fwhm_um"] = told.fwhm_um
    pixel = (recording["pixel_size_um"], "micrometer")
    axes = {"t": (recording["frame_time_s"], "second"), "y": pixel, "x": pixel}
    about = {
        "imaging": imaging,
        "dataset_imaging": spec["imaging"],
        "psf": {name: width and width._asdict() for name, width in widths.items()},
        "pieces": cut.counts,
        "remarks": cut.remarks,
    }
    if cut.files:
        about["files"] = cut.files
    write(store, manifest, recording, {**spec, **about}, cut.transfer, axes, cut.images, items)
    return cut.spots


def _range(values):
    """[lo, hi] that nine items of ten lie in."""
    return np.nanquantile(values, [0.05, 0.95]).tolist()


def _widths(recording, images, items, spec) -> dict[str, Width | None]:
    """Widths of the PSF, by name: stated, estimated, None for what is not there, and told, which methods go by."""
    entry = recording.get("psf")
    stated = recorded_psf.stated(entry) if entry else None
    widest = float(items["spot_fwhm_um"].median())
    psf = {"kind": "gaussian", "fwhm_um": [0.6 * widest, widest]}  # what blurred spots show is calibrated on these
    trial = {**spec, "imaging": {**spec["imaging"], "psf": psf}}
    rows = items.assign(fwhm_um=widest).itertuples()
    try:
        stacks = [stack(image, row, trial) for image, row in zip(images, rows)]
        estimated = recorded_psf.estimate(stacks, items["particle"].to_numpy())
    except Undetermined as reason:
        if stated is None:
            expected = "psf: {kind: gaussian, fwhm_um: ...} in the entry, or more tracks"
            raise RecordingError(pooled.name(recording), "psf", f"nothing stated, and {reason}", expected) from None
        log.info("PSF: not estimated (%s)", reason)
        estimated = None
    if stated and estimated:
        stated = stated._replace(spread=estimated.spread)  # which no microscope's data sheet knows
        _compare(stated, estimated)
    return {"told": stated or estimated, "stated": stated, "estimated": estimated}


def _compare(stated, estimated):
    """Warn where the tracks contradict what is stated."""
    sd = np.hypot(stated.known_to, estimated.known_to)
    away = abs(np.log(estimated.fwhm_um / stated.fwhm_um)) / sd
    if away > DISAGREEMENT:
        said = f"a FWHM of {stated.fwhm_um:.4g} um is stated, the tracks say {estimated.fwhm_um:.4g} um"
        log.warning("PSF: %s, which is %.1f standard deviations away", said, away)
