"""Sections through a volume: the view, the truth, and what each method makes of the view.

All are shown at the grey levels of the truth. Look for structures of the truth that a method lost, and for such as it
made up; the view is what it was given.
"""

import numpy as np

from blurbench.drawing import style
from blurbench.drawing.material import Material
from blurbench.fusion import PROBLEM
from blurbench.fusion.items import read
from blurbench.fusion.sections import GREYS, cut
from blurbench.fusion.sections import draw as draw_sections


def draw(path, given: Material):
    """The first volume of the dataset, at one grey scale: that of the truth."""
    if given.store is None:
        return style.empty(path, "no test dataset")
    view = read(given.store, 0, ["density"])
    volumes = {"view": view.photons}
    volumes["truth"] = truth = view.truth.density
    for method, file in given.answers().items():
        if method not in volumes:  # as a limit, the truth answers itself
            volumes[method] = PROBLEM.answer.read(file, len(given.store)).images[0]
    sections = {name: cut(volume) for name, volume in volumes.items()}
    sides = np.multiply(truth.shape, view.optics.spacing_um)
    draw_sections(path, sections, np.percentile(truth, GREYS), sides, given.dataset)
