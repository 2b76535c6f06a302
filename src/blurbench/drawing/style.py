"""The look of every figure, and how it is saved: the same data give the same file, byte for byte."""

from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar

MM = 1 / 25.4  # inches
WIDTH = 180 * MM  # two columns of a journal

STYLE = {
    "font.family": "sans-serif",
    # Comes with Matplotlib and is wide: the layout is the same everywhere, and any substitute fits into it.
    "font.sans-serif": ["DejaVu Sans", "Arial", "Helvetica"],
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.labelsize": 7,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "0.92",
    "grid.linewidth": 0.5,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.5,
    "figure.dpi": 150,
    "figure.constrained_layout.use": True,
    "svg.fonttype": "none",  # text stays text: searchable, editable
    "svg.hashsalt": "blurbench",
}

# Okabe and Ito's colours, which people with any colour vision tell apart; https://jfly.uni-koeln.de/color/
CYCLE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D1F", "#444444")
KIND_COLOURS = {"learned": "#0072B2", "classical": "#D55E00", "limit": "#444444", "control": "#999999"}
MARKERS = "osD^vP<>X*ph"
BAR_UM = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)


@dataclass
class Material:
    """What the figures of a problem are drawn from: one dataset's, or that of all of them.

    scores : score tables (parquet files or frames), one per dataset, method and seed
    predictions : prediction files, .../{dataset}/{method}/{seed}.parquet
    store : test dataset, a path or an open Dataset
    curves : learning curves, .../{method}/{seed}.csv
    datasets : {name: dataset entry of the configuration}
    dataset : name of the one, None where there are several
    """

    scores: list = field(default_factory=list)
    predictions: list = field(default_factory=list)
    store: object = None
    curves: list = field(default_factory=list)
    datasets: dict = field(default_factory=dict)
    dataset: str | None = None


@contextmanager
def figure(path, width=WIDTH, height=WIDTH / 2):
    """A figure (inches) to draw on, in the common style; saved to `path` at the end."""
    with plt.rc_context(STYLE):
        drawing = Figure(figsize=(width, height), layout="constrained")
        yield drawing
        save(drawing, path)


def save(drawing, path):
    """Save as the suffix says; an SVG carries no date, so that equal figures are equal files."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with plt.rc_context(STYLE):
        drawing.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def empty(path, reason):
    """A figure that says why there is nothing to show."""
    with figure(path, height=20 * MM) as drawing:
        drawing.text(0.5, 0.5, reason, ha="center", va="center", color="0.4")


def readable(name) -> str:
    """A configuration name for people."""
    return str(name).replace("_", " ")


def scale_bar(ax, width):
    """A scale bar in the lower left corner of an image that is `width` µm wide, on a plate that keeps it legible."""
    length = max((length for length in BAR_UM if length < width / 4), default=BAR_UM[0])
    bar = AnchoredSizeBar(
        ax.transData, length, f"{length} µm", "lower left", pad=0.3, sep=2, size_vertical=0.01 * width, label_top=True
    )
    bar.patch.set(facecolor="w", edgecolor="none", alpha=0.8)
    ax.add_artist(bar)


def label_panels(axes):
    """a, b, c, ... at the upper left corner of the axes."""
    for letter, ax in zip("abcdefghijklmnopqrstuvwxyz", axes):
        ax.set_title(letter, loc="left", fontweight="bold")
