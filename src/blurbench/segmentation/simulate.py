"""Blurred images of scenes of cells, and their labels.

A scene's cells emit light, each with an own blur for its depth; the whole image is blurred, light is uneven over the
field, and a camera sees it. Both stains and all blur levels of a scene have the same cells.
"""

import numpy as np
import pandas as pd

from blurbench.files.datasets import Simulated
from blurbench.microscopy.random_streams import key
from blurbench.planning.defaults import stated
from blurbench.segmentation import bbbc005, parameters
from blurbench.segmentation.items import STAINS, TRUTHS
from blurbench.segmentation.optics import blurred
from blurbench.segmentation.rendering import stained
from blurbench.segmentation.scenes import scene
from blurbench.segmentation.textures import texture

AXES = {"axes": ["item", "y", "x"], "voxel_size": [None] * 3, "units": [None] * 3}  # a pixel has no stated size
GLOW = (1, 2)  # octaves of the autofluorescence on the image's longer side
MIDDLE = (0.25, 0.75)  # of the sides: where the light is brightest
DEFAULTS = {part: stated("segmentation", part) for part in ("imaging", "scene")}
SHOWN, PARAMETERS, LIGHT, TEXTURE, CAMERA = range(2, 7)  # purposes of a scene's random streams, after those of `scenes`


class Maker:
    """Images of one scene.

    Parameters
    ----------
    spec : dataset entry, expanded;  stream_key, number : name the scene's random streams
    """

    def __init__(self, spec: dict, stream_key: int, number: int):
        self.names = (stream_key, number)
        self.imaging, self.scene = parameters.drawn(spec["imaging"], spec["scene"], self._rng(PARAMETERS))
        self.told_px = {stain: self.scene[stain]["diameter_px"] for stain in STAINS}
        self.shape = tuple(self.imaging["shape_px"])
        for stain in STAINS:
            larger = 1 + self.scene["size_error"]
            self.scene[stain] = {**self.scene[stain], "diameter_px": larger * self.told_px[stain]}
        count = 0 if self.imaging["empty"] else parameters.count(self.scene["counts"], number)
        self.cells = scene(self.shape, self.scene, count, stream_key, number)
        self.stains: dict = {}

    def _rng(self, *purpose):
        return np.random.default_rng([*self.names, *purpose])

    def item(self, stain: str, blur_px: float):
        """(image, labels, row of the table) of a stain at a blur level."""
        if stain not in self.stains:
            self.stains[stain] = self._stained(stain)
        labels, light = self.stains[stain]
        light = blurred(light, (1 + self.imaging["blur_error"]) * blur_px) if blur_px > 1 else light
        light = (light + np.float32(self.imaging["background"])) * self._illumination()
        rng = self._rng(CAMERA, STAINS.index(stain), int(blur_px))
        row = {
            "scene": self.names[1],
            "stain": STAINS.index(stain),
            "blur_px": float(blur_px),
            "diameter_px": float(self.told_px[stain]),
            "count": len(self.cells.centres),
            "truth": TRUTHS.index("instances"),
            "height_px": self.shape[0],
            "width_px": self.shape[1],
        }
        return photographed(light, self.scene[stain]["brightness"], self.imaging, rng), labels, row

    def _stained(self, stain):
        """Labels, and light before the blur of the whole image."""
        rng = self._rng(TEXTURE, STAINS.index(stain))
        kind = self.scene[stain]
        labels, light = stained(self.cells, stain, self.shape, kind, self.scene["depth_px"], rng)
        if glow := self.imaging["autofluorescence"]:
            light += np.float32(glow * kind["brightness"]) * texture(self.shape, max(self.shape), 1.0, GLOW, rng)
        return labels, light

    def _illumination(self):
        """Share of the light that reaches each pixel, (y, x) float32: it falls with the square of the distance."""
        rng = self._rng(LIGHT)
        middle = [rng.uniform(*MIDDLE) * side for side in self.shape]
        y, x = ((np.arange(side, dtype=np.float32) - m) ** 2 for side, m in zip(self.shape, middle))
        loss = y[:, None] + x
        return 1 - np.float32(self.imaging["illumination"]) * loss / loss.max()


def photographed(light, brightness: float, imaging: dict, rng: np.random.Generator) -> np.ndarray:
    """Grey values, uint16, of light (y, x) in grey levels.

    brightness : grey levels of an object, which are `imaging.photons`
    """
    if photons := imaging["photons"]:
        scale = photons / brightness
        light = (rng.poisson(light * scale) / scale).astype(np.float32)
    light = light + np.float32(imaging["noise"]) * rng.standard_normal(light.shape, np.float32)
    image = np.clip(np.rint(light + np.float32(imaging["offset"])), 0, imaging["saturation"]).astype(np.uint16)
    return np.uint16(imaging["saturation"]) - image if imaging["inverted"] else image


def dataset(spec: dict, split: str, seed: int) -> Simulated:
    """A split of a dataset.

    In training and validation every item is a scene of its own: in training of a stain and at a blur level drawn
    evenly, in validation of every stain at every level in turn, as methods choose a setting for each. In the test
    split every scene is shown in all stains at all of `test_blur_px`, one after the other.

    spec : one dataset entry of the configuration, expanded; `stream` names the dataset whose random streams it uses
    """
    spec = {**spec, **{part: {**defaults, **spec[part]} for part, defaults in DEFAULTS.items()}}
    if "folder" in spec:
        n, items = bbbc005.items(spec, split)
    else:
        n, items = _number(spec, split), _items(spec, split, key(seed, "segmentation", spec["stream"], split))
    return Simulated(n, 1, AXES, _shards(items))


def _number(spec, split):
    shown = len(spec["stains"]) * len(spec["test_blur_px"]) if split == "test" else 1
    return spec["items"][split] * shown


def _items(spec, split, stream_key):
    for number in range(spec["items"][split]):
        maker = Maker(spec, stream_key, number)
        if split == "test":
            for stain in spec["stains"]:
                for blur in spec["test_blur_px"]:
                    yield maker.item(stain, blur)
        else:
            yield maker.item(*_shown(spec, split, stream_key, number))


def _shown(spec, split, stream_key, number):
    """Stain and blur level of an image for training or validation."""
    stains, blurs = spec["stains"], spec["imaging"]["blur_px"]
    if split == "validation":
        turn, place = divmod(number, len(stains) * len(blurs))
        order = np.random.default_rng([stream_key, turn, SHOWN]).permutation(len(stains) * len(blurs))
        stain, blur = divmod(int(order[place]), len(blurs))
    else:
        rng = np.random.default_rng([stream_key, number, SHOWN])
        stain, blur = rng.integers(len(stains)), rng.integers(len(blurs))
    return stains[stain], blurs[blur]


def _shards(items):
    """One item a shard: whoever reads the labels of one reads all of its shard."""
    for image, labels, row in items:
        yield image[None], pd.DataFrame([row]), {"labels": labels[None]}
