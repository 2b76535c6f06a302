"""What makes the answers on a volume doubtful, in sentences: none to see, uneven light, spheres that look hollow."""

import numpy as np

FADED = 0.5  # of the mean light of a third of the slices, in another third
HOLLOW = 0.9  # of the light at the rim of spheres, in their middle
MIDDLE, RIM = (0.0, 0.15), (0.35, 0.45)  # distances from a centre, diameters
ENOUGH, MOST = 20, 500  # centres whose profile is looked at: at least, and at most, whatever the volume holds
DARK = 0.05  # quantile of a volume that is its background


def faded(survey) -> list[str]:
    """A sentence if one end of the volume is much darker than the other.

    survey : DataFrame, the mean photons of each slice, as `preparation.prepare` returns it
    """
    first, *_, last = (float(part.mean()) for part in np.array_split(survey["photons"].to_numpy(), 3))
    bright, dark = max(first, last), min(first, last)
    if dark > FADED * bright:
        return []
    end = "last" if last < first else "first"
    return [
        f"the {end} third of the slices has {dark / bright:.2g} of the light of the other end: spheres there are "
        "fewer, or faint and missed"
    ]


def absent() -> list[str]:
    """The sentence on a volume in which nothing is seen beyond noise."""
    return [
        "nothing is beyond noise: no spheres, or none that can be seen; no volume fraction is told of what was found"
    ]


def evened(survey) -> list[str]:
    """A sentence if light that spheres lose along z was divided out.

    survey : DataFrame, z_um and kept of each slice, as `preparation.prepare` returns it
    """
    kept = survey["kept"].to_numpy()
    if np.ptp(kept) == 0:
        return []
    bright, dark = survey["z_um"].to_numpy()[[kept.argmax(), kept.argmin()]]
    return [
        f"the light of spheres falls to {kept.min() / kept.max():.2g} from z = {bright:.3g} to {dark:.3g} µm: evened, "
        "with its noise"
    ]


def outshone(hidden) -> list[str]:
    """A sentence if something outshines the spheres.

    hidden : (z, y, x) bool, voxels about it; None where nothing does
    """
    if hidden is None:
        return []
    return [
        f"{100 * hidden.mean():.2g} % of the volume is about what outshines the spheres: filled with the median of "
        "each slice, and not judged in volume fraction and g(r)"
    ]


def hollow(volume, diameter, centres_by_method) -> list[str]:
    """A sentence if what a method found is darker in the middle than at the rim, as no filled sphere is.

    Parameters
    ----------
    volume : (z, y, x), grey values
    diameter : of the spheres, voxels
    centres_by_method : {name: (n, 3)}, voxels from the centre of the first one
    """
    ratios = {name: _middle_over_rim(volume, diameter, found) for name, found in centres_by_method.items()}
    dark = {name: ratio for name, ratio in ratios.items() if ratio < HOLLOW}
    if not dark:
        return []
    name = min(dark, key=lambda one: dark[one])
    return [
        f"what {name} finds has {dark[name]:.2g} of the light of its rim in its middle: hollow spheres, and every "
        "method is made for filled ones"
    ]


def _middle_over_rim(volume, diameter, centres):
    """Light above the background in the middle of what lies at the centres, over that at its rim; NaN for too few."""
    reach = int(np.ceil(RIM[1] * diameter))
    corners = np.rint(centres).astype(int)
    inside = ((corners >= reach) & (corners < np.array(volume.shape) - reach)).all(axis=1)
    if inside.sum() < ENOUGH:
        return np.nan
    chosen = np.flatnonzero(inside)[:: -(-int(inside.sum()) // MOST)]
    corners, centres = corners[chosen], centres[chosen]
    steps = np.arange(-reach, reach + 1)
    cube = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    places = corners[:, None] + cube
    distance = np.linalg.norm(places - centres[:, None], axis=-1) / diameter
    light = volume[tuple(np.moveaxis(places, -1, 0))] - np.quantile(volume, DARK)
    middle, rim = (light[(distance >= low) & (distance < high)].mean() for low, high in (MIDDLE, RIM))
    return middle / max(rim, 1e-9)
