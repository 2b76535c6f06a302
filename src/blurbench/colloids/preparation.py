"""From a microscope's volume to the one that methods take: cubic voxels, so many to a diameter, in photons."""

import logging
import math

import numpy as np
import pandas as pd
from scipy.ndimage import affine_transform, gaussian_filter1d

from blurbench.colloids import configuration
from blurbench.files.logs import progress
from blurbench.microscopy import calibration, frames
from blurbench.microscopy.photon_transfer import spatial_transfer
from blurbench.microscopy.psf import psf_on_voxels
from blurbench.microscopy.recording_error import RecordingError
from blurbench.running.preparation import write

LOST = 1e-3  # share of the voxels that may lie below the grey scale before the offset is taken for wrong

log = logging.getLogger(__name__)


def prepare(recording: dict, spec: dict, store, manifest) -> pd.DataFrame:
    """Resample a volume and write it as a dataset of one item without truth.

    A microscopist's knowledge goes with it: the item's table has the columns that methods are given, and its `spec` is
    that of the dataset with the recording's shape and point-spread function.

    Parameters
    ----------
    recording : entry of the configuration
    spec : expanded entry of the dataset whose models apply
    store, manifest : paths to write

    Returns
    -------
    DataFrame, one row per slice of the recording: z_um and photons, the mean per voxel.

    Raises
    ------
    RecordingError for whatever is wrong with the volume, its calibration or its blur.
    """
    imaging = spec["imaging"]
    diameter, file = recording.get("diameter_um"), recording.get("file")
    _check(recording, spec)
    photons, transfer = read(recording)
    log.info("%s", transfer)
    heights = np.arange(len(photons)) * recording["voxel_um"][0]
    survey = pd.DataFrame({"z_um": heights, "photons": photons.mean((1, 2))})
    sides = np.array(photons.shape) * recording["voxel_um"]
    if sides.min() < configuration.THINNEST * diameter:
        raise RecordingError(
            file,
            "file",
            f"a volume of {' x '.join(f'{s:.3g}' for s in sides)} µm",
            f"at least {configuration.THINNEST} diameters of {diameter:g} µm along every axis",
        )
    inset, most = recording.get("inset_d", configuration.INSET), (sides.min() / diameter - 1) / 2
    if inset > most:
        raise RecordingError(file, "inset_d", inset, f"at most {most:.2f}: a diameter must be left between the faces")
    voxel = diameter / imaging["diameter_px"]
    image = _grey_values(resample(photons, recording["voxel_um"], voxel), imaging["offset"], file)
    log.info("%s voxels of %s µm resampled to %s of %.4g µm", photons.shape, recording["voxel_um"], image.shape, voxel)
    stated = recording.get("psf_sigma_um")
    psf = {"kind": "gaussian", "sigma_um": list(stated)} if stated else imaging["psf"]
    sigma = psf_on_voxels(psf, voxel).sigma
    known = {
        "particle_size_um": float(diameter),
        "voxel_um": voxel,
        "diameter_px": float(imaging["diameter_px"]),
        "sigma_z_px": float(sigma[0]),
        "sigma_xy_px": float(np.sqrt(sigma[1] * sigma[2])),
    }
    axes = dict.fromkeys("zyx", (voxel, "micrometer"))
    spec = {**spec, "imaging": {**imaging, "shape_px": list(image.shape), "psf": psf}}
    write(store, manifest, recording, spec, transfer, axes, image[None], pd.DataFrame([known]))
    return survey


def _check(recording, spec):
    """Refuse an entry that is incomplete or impossible, and a blur that the models do not know."""
    file, imaging = recording.get("file"), spec["imaging"]
    calibration.check_positive(recording, file, "voxel_um", "µm, sides z, y, x", 3)
    calibration.check_positive(recording, file, "diameter_um", "µm")
    if recording.get("psf_sigma_um") is not None:
        calibration.check_positive(recording, file, "psf_sigma_um", "µm, along z, y, x", 3)
    calibration.check_camera(recording, file)
    for fault in configuration.recording_faults(recording, spec):
        raise RecordingError(file, *fault)
    if imaging["psf"]["kind"] == "image":  # whose width is in its file, where a configuration is not judged by
        voxel = min(spec["particle_size_um"]) / imaging["diameter_px"]
        sigma = psf_on_voxels(imaging["psf"], voxel).sigma * voxel
        for fault in configuration.blur_faults(recording, sigma, spec["particle_size_um"]):
            raise RecordingError(file, *fault)


def read(recording: dict):
    """The volume of a recording's entry in photons, spheres brighter than what is around them.

    Dark spheres are reflected about the brightest grey value but for one voxel in a thousand.

    Returns
    -------
    photons : float32 (z, y, x);  transfer : photon_transfer.Transfer
    """
    volume = frames.read(recording["file"], frames.VOLUME, recording.get("series"))
    inside = (volume.slice_um, volume.row_um, volume.pixel_size_um)
    for stated, own in zip(recording["voxel_um"], inside):
        calibration.check_metadata(volume.file, "voxel_um", stated, own, recording.get("calibration"))
    grey = np.stack([volume[i] for i in progress(range(len(volume)), "read")])
    if np.ptp(grey) == 0:
        raise RecordingError(volume.file, "file", f"the grey value {grey.flat[0]} everywhere", "an image of spheres")
    transfer = spatial_transfer(grey, volume.file, recording["gain"], recording["offset"])
    if not transfer.offset < grey.mean():
        raise RecordingError(
            volume.file, "offset", f"{transfer.offset:g} ADU", f"a dark level below the mean of {grey.mean():.4g} ADU"
        )
    photons = (grey.astype(np.float32) - np.float32(transfer.offset)) / np.float32(transfer.gain)
    if recording["polarity"] == "dark":
        photons = np.maximum(np.quantile(photons, 0.999) - photons, 0).astype(np.float32)
    return photons, transfer


def resample(photons, sides, side):
    """A volume on cubic voxels; the first corner stays where it was and what does not fill a voxel is left out.

    Cubic splines. Along an axis that gets fewer voxels, a Gaussian before takes away what they cannot hold: with the
    voxel that it has been, it is as wide as the new voxel (SD, in quadrature). Light goes with the voxel's volume.

    Parameters
    ----------
    photons : (z, y, x), per voxel;  sides : (3,) of its voxels, µm;  side : of the cubes, µm

    Returns
    -------
    float32 (z, y, x), photons per cube
    """
    ratio = side / np.asarray(sides, float)
    shape = np.floor(np.array(photons.shape) / ratio * (1 + 1e-9)).astype(int)
    if np.allclose(ratio, 1, rtol=1e-9):
        return photons.astype(np.float32)
    for axis, r in enumerate(ratio):
        if r > 1:
            photons = gaussian_filter1d(photons, math.sqrt((r**2 - 1) / 12), axis, mode="nearest")
    at = (ratio - 1) / 2  # where the centre of the first cube lies, in voxels from that of the first voxel
    resampled = affine_transform(photons, ratio, at, tuple(shape), np.float32, order=3, mode="nearest")
    return resampled * np.float32(ratio.prod())


def _grey_values(photons, offset, file):
    """uint16, one ADU a photon above the dataset's offset; refused where the grey scale does not hold them."""
    grey = np.rint(photons + offset)
    if (highest := float(grey.max())) > configuration.SATURATION:
        allowed = configuration.SATURATION - offset
        raise RecordingError(
            file, "gain", f"a voxel of {highest - offset:.0f} photons", f"at most {allowed}: a larger one"
        )
    if (low := float((grey < 0).mean())) > LOST:
        raise RecordingError(
            file, "offset", f"{100 * low:.2g} % of the voxels more than {offset} photons darker", "the dark level"
        )
    return np.maximum(grey, 0).astype(np.uint16)
