"""The look of figures and of the methods in them, and how they are saved: equal data give equal bytes."""

from contextlib import contextmanager
from pathlib import Path
from textwrap import fill

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

MM = 1 / 25.4  # inches
WIDTH = 180 * MM  # two columns of a journal
MOST_WIDE = 4  # panels side by side
PNG_DPI = 200  # some 1400 pixels across
TEXT, SMALL = 9, 8  # points
LETTER = 0.6 * SMALL / 72  # inches, of a wide letter
ENTRY, LINE = 11 * MM, 4.6 * MM  # of a legend: what stands before and after a name; height of a row

STYLE = {
    "font.family": "sans-serif",
    # Comes with Matplotlib and is wide: the layout is the same everywhere, and any substitute fits into it.
    "font.sans-serif": ["DejaVu Sans", "Arial", "Helvetica"],
    # Large enough to be read at half the width, as in one column of a journal.
    "font.size": TEXT,
    "axes.titlesize": TEXT,
    "axes.labelsize": TEXT,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "0.92",
    "grid.linewidth": 0.5,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "legend.fontsize": SMALL,
    "legend.title_fontsize": TEXT,
    "figure.titlesize": TEXT,
    "figure.labelsize": TEXT,
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
LINES: dict[str, list] = {
    "learned": ["-"],
    "classical": [(0, (4, 1.2))],
    "limit": [":", "--", "-.", (0, (1, 3)), (0, (6, 1, 1, 1, 1, 1))],
    "control": ["-"],
}
GREYS = {"limit": "0.1", "control": "0.6"}  # of what frames the methods, and has no marker


@contextmanager
def figure(path, width=WIDTH, height=WIDTH / 2):
    """A figure (inches) to draw on, in the common style; saved to `path`, an SVG, and as a PNG beside it at the end."""
    with plt.rc_context(STYLE):
        drawing = Figure(figsize=(width, height), layout="constrained")
        yield drawing
        save(drawing, path)


def save(drawing, path):
    """Save an SVG, and the same as a PNG beside it; neither carries a date, so that equal figures are equal files."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with plt.rc_context(STYLE):
        drawing.savefig(path, metadata={"Date": None})
        drawing.savefig(path.with_suffix(".png"), dpi=PNG_DPI)


def empty(path, reason):
    """A figure that says why there is nothing to show."""
    with figure(path, height=20 * MM) as drawing:
        drawing.text(0.5, 0.5, reason, ha="center", va="center", color="0.4")


def legend_above(drawing, handles, names, title=None, most=5):
    """A legend over all panels, as many names side by side as the figure has room for, and no more than `most`."""
    columns = legend_columns(names, most, drawing.get_figwidth())
    drawing.legend(handles, names, loc="outside upper center", ncols=columns, title=title)


def legend_columns(names, most=5, available=WIDTH) -> int:
    """How many names of a legend stand side by side in the width available, inches."""
    widest = ENTRY + LETTER * max((len(str(name)) for name in names), default=0)
    return max(min(most, len(names), int(available / widest)), 1)


def legend_height(names, most=5, available=WIDTH) -> float:
    """Height of such a legend without its title, inches."""
    return LINE * -(-len(names) // legend_columns(names, most, available))


def width(columns):
    """Width of a figure with so many panels side by side, inches."""
    return WIDTH if columns > 2 else (60 + 50 * columns) * MM


def method_styles(kinds: dict[str, str]) -> dict[str, dict]:
    """How each method is drawn, as keywords of `Axes.plot` by its name.

    Colours and markers follow the order of the methods. Learned ones are full, classical ones dashed and open; limits
    and controls are grey lines.

    Parameters
    ----------
    kinds : by name of the method
    """
    styles, of_kind = {}, dict.fromkeys(LINES, 0)
    for k, (method, kind) in enumerate(kinds.items()):
        colour = GREYS.get(kind, CYCLE[k % len(CYCLE)])
        styles[method] = {
            "color": colour,
            "ls": LINES[kind][of_kind[kind] % len(LINES[kind])],
            "marker": "" if kind in GREYS else MARKERS[k % len(MARKERS)],
            "mfc": "white" if kind == "classical" else colour,
        }
        of_kind[kind] += 1
    return styles


def broken(name: str, longest: int) -> str:
    """A name on several lines, each but those of one long word of at most `longest` characters."""
    return fill(name.replace("_", "_ "), longest, break_long_words=False).replace("_ ", "_")
