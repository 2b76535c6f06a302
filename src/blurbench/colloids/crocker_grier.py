"""trackpy's locator with settings in units of the diameter, so that one setting serves spheres of any size in voxels.

Features lie closer to each other than a diameter once the volume is blurred or noisy, and trackpy discards one of two
that are closer than `separation`; touching spheres need it below the diameter.
"""

from itertools import product

from blurbench.colloids.locating import locate, odd, smoothed

# Extent of a feature, its stretch along z, distance of two features, SD of the smoothing, percentile of the voxels that
# a maximum must exceed. What a volume of narrow blur is best located with comes first.
SIZES = ((1.1, 1.0), (0.9, 1.0), (0.7, 1.0), (1.1, 1.4), (1.3, 1.4), (1.1, 1.8))
SEPARATIONS = (0.6, 0.45)
SMOOTHING = (0.15, 0.1)
PERCENTILES = (64, 20)  # trackpy's default first
BRIGHTEST = 60000  # what the brightest voxel is scaled to, for trackpy reads whole numbers


def search(volume, sizes=SIZES, smoothing=SMOOTHING):
    """Features at every setting, as `tuning.choose` takes them; what several settings share is done once."""
    for size, stretch in sizes:
        setting = {"size": size, "stretch": stretch}
        smooth = {sd: _smoothed(volume, {**setting, "smoothing": sd}) for sd in smoothing}
        for separation, sd in product(SEPARATIONS, smoothing):
            found = locate(smooth[sd], separation * volume.diameter, PERCENTILES)
            for percentile, one in zip(PERCENTILES, found):
                yield {**setting, "separation": separation, "smoothing": sd, "percentile": percentile}, *one


def find(volume, setting):
    """Positions (n, 3) in voxels and masses (n,) of all features at one setting."""
    smooth = _smoothed(volume, setting)
    return locate(smooth, setting["separation"] * volume.diameter, (setting["percentile"],))[0]


def _smoothed(volume, setting):
    """The volume after trackpy's filter at one setting."""
    d, top = volume.diameter, volume.photons.max()
    flat = odd(setting["size"] * d)
    return smoothed(
        volume.photons * (BRIGHTEST / top) if top > 0 else volume.photons,
        (odd(setting["size"] * setting["stretch"] * d), flat, flat),
        setting["smoothing"] * d,
    )
