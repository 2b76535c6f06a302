"""Sections through one volume of each study: the view, what each method makes of it, and the truth."""

from blurbench.drawing import style
from blurbench.drawing.material import Material
from blurbench.fusion import PROBLEM, sections
from blurbench.fusion.items import read


def draw(path, given: Material):
    """The first volume of the dataset, at one grey scale: that of the truth."""
    if given.store is None:
        return style.empty(path, "no test dataset")
    view = read(given.store, 0)
    volumes = {"view": view.photons}
    for one in sorted(given.predictions):
        if one.method not in volumes:  # the first training seed of several
            volumes[one.method] = PROBLEM.answer.read(one.file, len(given.store)).images[0]
    volumes["truth"] = view.truth.density
    sections.draw(path, volumes, view.truth.density, view.optics.spacing_um, style.readable(given.dataset))
