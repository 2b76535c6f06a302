"""Studies: what each item of one is, drawn from the study's distributions of optics, tissue and sampling."""

import numpy as np

from blurbench.fusion.items import CHANNELS, SHAPE
from blurbench.fusion.optics import detection_sigma_um, rayleigh_um

PARAMETERS = (  # in this order, so that another range of one leaves what the others draw as it is
    "spacing_z_um",
    "spacing_xy_um",
    "detection_na",
    "refractive_index",
    "emission_um",
    "illumination_um",
    "sheet_waist_um",
    "sheet_focus",
    "fan",
    "absorption_length_um",
    "detection_absorption_length_um",
    "tissue_contrast",
    "absorbers",
    "absorber_depth",
    "absorber_diameter_um",
    "autofluorescence",
    "cell_diameter_um",
    "density",
    "texture",
    "brightness_sd",
    "photons",
    "read_noise",
    "specimen",
)


def drawn(study: dict, rng: np.random.Generator) -> dict:
    """Parameters of one item: a range is log-uniform, a number is itself.

    Parameters
    ----------
    study : an entry of `studies`;  rng : of the item

    Returns
    -------
    dict of a float for each of PARAMETERS
    """
    return {name: _value(study[name], u) for name, u in zip(PARAMETERS, rng.random(len(PARAMETERS)))}


def _value(value, u):
    if not isinstance(value, list):
        return float(value)
    low, high = map(float, value)
    return low * (high / low) ** float(u)


def row(number: int, channel: str, drawn: dict, imaging: dict) -> dict:
    """The item's row: what it is, and its optics as a microscopist knows them.

    Parameters
    ----------
    number : of the study;  channel : "nuclei" or "membranes";  drawn : of `drawn`;  imaging : complete
    """
    axial, lateral = detection_sigma_um(drawn["detection_na"], drawn["emission_um"], drawn["refractive_index"])
    waist, index = drawn["sheet_waist_um"], drawn["refractive_index"]
    width = (imaging["shape_px"][2] - 1) * drawn["spacing_xy_um"]
    return {
        "study": number,
        "channel": CHANNELS.index(channel),
        **dict(zip(SHAPE, imaging["shape_px"])),
        **drawn,
        "sigma_axial_um": axial,
        "sigma_lateral_um": lateral,
        "sheet_focus_um": drawn["sheet_focus"] * width,
        "rayleigh_um": rayleigh_um(waist, drawn["illumination_um"], index),
    }
