"""From a microscope's volumes to those that methods take: cubic voxels, so many to a diameter, in photons."""

import logging

import numpy as np
import pandas as pd

from blurbench.colloids import configuration, contrast, known_centres, recorded
from blurbench.colloids.resampling import cubes, resampled
from blurbench.files.logs import progress
from blurbench.microscopy import calibration
from blurbench.microscopy.psf import psf_on_voxels
from blurbench.microscopy.recording_error import RecordingError
from blurbench.planning import pooled
from blurbench.running.preparation import write

LOST = 1e-3  # share of the voxels that may lie below the grey scale before the offset is taken for wrong
HALO = 2.0  # SDs of the point-spread function: so far beyond its surface the light of an outlying sphere hides others

log = logging.getLogger(__name__)


def prepare(recording: dict, spec: dict, store, manifest) -> pd.DataFrame:
    """Resample every volume and write them as a dataset without truth, an item each.

    Every file is judged, header and voxels, before the first is resampled. A microscopist's knowledge goes with it: the
    items' table has the columns that methods are given, and its `spec` is that of the dataset with the recording's
    shape and point-spread function. Beside it stand `volumes`, of each item {"file", "time"}, as
    `recorded.Recorded` has them, and `seen`, of each {"beyond_noise", "outlying_um", "reach_um"}, as `contrast.seen`
    found them, places from the centre of the recording's first voxel. Light that spheres are seen to lose along z is
    divided out, and what outshines them filled up, unless `even_light` of the entry is false.

    Parameters
    ----------
    recording : entry of the configuration
    spec : expanded entry of the dataset whose models apply
    store, manifest : paths to write

    Returns
    -------
    DataFrame, one row per slice of the recording: item, z_um, photons, the mean per voxel, and kept, the light that was
    divided out, of geometric mean 1.

    Raises
    ------
    RecordingError for whatever is wrong with a volume, its calibration or its blur, or with the known centres.
    """
    imaging, diameter = spec["imaging"], recording.get("diameter_um")
    _check(recording, spec)
    volumes = recorded.listed(recording)
    _check_extent(recording, volumes[0])
    places = [{"file": volume.file, "time": volume.time} for volume in volumes]
    known_centres.read(recording, places, np.array(volumes[0].shape) * recording["voxel_um"])
    transfer = recorded.transfer_of(recording, volumes)
    log.info("%s", transfer)
    voxel = diameter / imaging["diameter_px"]
    stated = recording.get("psf_sigma_um")
    psf = {"kind": "gaussian", "sigma_um": list(stated)} if stated else imaging["psf"]
    sigma = psf_on_voxels(psf, voxel).sigma
    reach = diameter / 2 + HALO * sigma * voxel
    seen = [_seen(recording, volume, transfer, reach) for volume in progress(volumes, "look at the contrast")]
    images = _Resampled(recording, volumes, transfer, seen, reach, voxel, imaging["offset"])
    log.info(
        "%d volumes, %s voxels of %s µm resampled to %s of %.4g µm",
        len(volumes), volumes[0].shape, recording["voxel_um"], images.shape[1:], voxel,
    )  # fmt: skip
    known = {
        "particle_size_um": float(diameter),
        "voxel_um": voxel,
        "diameter_px": float(imaging["diameter_px"]),
        "sigma_z_px": float(sigma[0]),
        "sigma_xy_px": float(np.sqrt(sigma[1] * sigma[2])),
    }
    axes = dict.fromkeys("zyx", (voxel, "micrometer"))
    spec = {**spec, "imaging": {**imaging, "shape_px": list(images.shape[1:]), "psf": psf}, "volumes": places}
    spec["seen"] = [
        {
            "beyond_noise": one.beyond_noise,
            "outlying_um": (one.outlying * recording["voxel_um"]).tolist(),
            "reach_um": reach.tolist(),
        }
        for one in seen
    ]
    write(store, manifest, recording, spec, transfer, axes, images, pd.DataFrame([known] * len(volumes)), shard=1)
    heights = np.arange(volumes[0].shape[0]) * recording["voxel_um"][0]
    slices = ({"item": i, "z_um": heights, "photons": one.light, "kept": one.kept} for i, one in enumerate(seen))
    return pd.concat(map(pd.DataFrame, slices), ignore_index=True)


def _check(recording, spec):
    """Refuse an entry that is incomplete or impossible, and a blur that the models do not know."""
    file, imaging = pooled.name(recording), spec["imaging"]
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


def _check_extent(recording, volume):
    """Refuse a volume so thin that no sphere in it is clear of its faces, or that the inset leaves nothing of."""
    diameter, sides = recording["diameter_um"], np.array(volume.shape) * recording["voxel_um"]
    if sides.min() < configuration.THINNEST * diameter:
        raise RecordingError(
            volume.file,
            "file",
            f"a volume of {' x '.join(f'{s:.3g}' for s in sides)} µm",
            f"at least {configuration.THINNEST} diameters of {diameter:g} µm along every axis",
        )
    inset, most = recording.get("inset_d", configuration.INSET), (sides.min() / diameter - 1) / 2
    if inset > most:
        expected = f"at most {most:.2f}: a diameter must be left between the faces"
        raise RecordingError(volume.file, "inset_d", inset, expected)


def _seen(recording, volume, transfer, reach):
    """What is seen of spheres in a volume; of their light no more than the entry's `even_light` asks for."""
    sides, even = np.array(recording["voxel_um"]), np.ones(volume.shape[0])
    photons = recorded.Photons(recording, volume, transfer, even)
    found = contrast.seen(photons, sides / recording["diameter_um"], reach / sides)
    if recording.get("even_light", "auto"):
        return found
    return found._replace(kept=even, outlying=found.outlying[:0])


class _Resampled:
    """Items of a recording, uint16 (n, z, y, x), read when they are asked for."""

    def __init__(self, recording, volumes, transfer, seen, reach, voxel, offset):
        self.recording, self.volumes, self.transfer = recording, volumes, transfer
        self.seen, self.reach, self.voxel, self.offset = seen, reach, voxel, offset
        self.shape = (len(volumes), *cubes(volumes[0].shape, recording["voxel_um"], voxel))

    def __len__(self):
        return len(self.volumes)

    def __getitem__(self, index):
        numbers = range(len(self))[index]
        grey = np.empty((len(numbers), *self.shape[1:]), np.uint16)
        for target, i in zip(grey, numbers):
            self._fill(target, i)
        return grey

    def _fill(self, target, i):
        """Write an item plane by plane, one ADU a photon above the offset; refused where these do not fit."""
        sides, volume, seen = np.asarray(self.recording["voxel_um"]), self.volumes[i], self.seen[i]
        photons = recorded.Photons(self.recording, volume, self.transfer, seen.kept)
        if len(seen.outlying):
            photons = contrast.Filled(photons, contrast.within(photons.shape, seen.outlying, self.reach / sides))
        highest, darker = -np.inf, 0
        for plane, light in zip(target, resampled(photons, sides, self.voxel)):
            levels = np.rint(light + np.float32(self.offset))
            highest, darker = np.maximum(highest, levels.max()), darker + int((levels < 0).sum())
            plane[:] = np.clip(levels, 0, configuration.SATURATION)
        if not highest <= configuration.SATURATION:  # NaN is none
            found = f"a voxel of {highest - self.offset:.0f} photons"
            expected = f"at most {configuration.SATURATION - self.offset}: a larger one"
            raise RecordingError(volume, "gain", found, expected)
        if (low := darker / target.size) > LOST:
            found = f"{100 * low:.2g} % of the voxels more than {self.offset} photons darker"
            raise RecordingError(volume, "offset", found, "the dark level")
