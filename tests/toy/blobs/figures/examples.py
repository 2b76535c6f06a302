"""The first image of a dataset, without its noise, and as each method answers it.

The nearer a panel is to that without noise, the better.
"""

from blurbench.blobs import PROBLEM

from blurbench.drawing import style


def draw(path, given):
    """One panel each; a figure without data says so."""
    if given.store is None:
        return style.empty(path, "no test dataset")
    found = {one.method: PROBLEM.answer.read(one.file, len(given.store)).images[0] for one in given.predictions}
    panels = {"image": given.store.images[0], "without noise": given.store.truth["clean"][0], **found}
    with style.figure(path, height=style.WIDTH / len(panels)) as drawing:
        for ax, (name, image) in zip(drawing.subplots(1, len(panels)), panels.items()):
            ax.imshow(image, cmap="gray", vmin=0)
            ax.set(title=name, xticks=[], yticks=[])
            ax.grid(False)
