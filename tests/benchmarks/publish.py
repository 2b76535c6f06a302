"""What README.md and docs/results show of a run at laptop size, made anew from it: tables and figures.

    .venv/bin/python tests/benchmarks/publish.py results/laptop

A table stands below a comment such as `<!-- laptop: diffusion -->`, which names a function here: what it gives takes
the place of the rows under the head, so that a column is added in both places. `diffusion, short` are some of those
rows and columns, for README.md. Its figures are copies of those of the run, in docs/figures, and a picture of what the
problems are.
"""

import argparse
import math
import re
import tempfile
from pathlib import Path

import pandas as pd
import problems_picture
from PIL import Image

ROOT = Path(__file__).parents[2]
SHOWING = [ROOT / "README.md", *sorted((ROOT / "docs/results").glob("*.md"))]
FIGURES = {  # name in docs/figures: that of a run
    "diffusion": "diffusion/relative_sd_report",
    "colloids": "colloids/slices_levels",
    "fusion": "fusion/slices_known",
    "segmentation": "segmentation/by_blur_bbbc005",
}
ORDER = ["learned", "classical", "limit", "control"]  # of kinds; the first two compete


class Run:
    """The tables of a finished run."""

    def __init__(self, folder):
        self.folder = Path(folder) / "tables"
        self.timing = self.csv("timing").set_index(["problem", "dataset", "method"])

    def csv(self, name):
        return pd.read_csv(self.folder / f"{name}.csv")

    def problem(self, name, dataset, extra=""):
        """Numbers of one dataset, by condition, method and metric."""
        table = self.csv(f"{name}{extra}")
        return Numbers(table[table["dataset"] == dataset])

    def cost(self, problem, dataset, method, column, digits):
        """A number of timing.csv; a dash where there is none."""
        row = self.timing[column].get((problem, dataset, method), math.nan)
        return "–" if math.isnan(row) else f"{row:.{digits}}" if isinstance(digits, str) else number(row, digits)


class Numbers:
    """Published numbers of one dataset."""

    def __init__(self, table):
        self.kinds = table.drop_duplicates("method").set_index("method")["kind"]
        self.table = table.set_index(["condition", "method", "metric"])

    def ranked(self, metric, smallest=False):
        """Methods, those that compete by how good they are, then limits and controls likewise."""
        mean = self.table["mean"].xs("all").xs(metric, level="metric")
        group = self.kinds.map({"learned": 0, "classical": 0, "limit": 1, "control": 2})
        frame = pd.DataFrame({"group": group, "mean": mean if smallest else -mean})
        return list(frame.sort_values(["group", "mean"], kind="stable").index)

    def mean(self, method, metric, condition="all"):
        return float(self.table["mean"].get((condition, method, metric), math.nan))

    def interval(self, method, metric, digits, condition="all"):
        """A number with its interval, if it has one."""
        if (condition, method, metric) not in self.table.index:
            return ""
        row = self.table.loc[(condition, method, metric)]
        text = number(row["mean"], digits)
        if math.isnan(row["ci_low"]) or row["ci_low"] == row["ci_high"]:
            return text
        return f"{text} [{number(row['ci_low'], digits)}, {number(row['ci_high'], digits)}]"


def number(value, digits):
    """A number as the text shows it."""
    return f"{value:.{digits}f}".replace("-", "−")


def rms(values):
    return math.sqrt(sum(value**2 for value in values) / len(values))


def diffusion(run):
    """Rows of dataset `report`."""
    found = run.problem("diffusion", "report")
    for method in found.ranked("rmse_ln_d", smallest=True):
        yield [
            method,
            found.kinds[method],
            found.interval(method, "rmse_ln_d", 3),
            f"{found.mean(method, 'bias_ln_d'):+.2f}".replace("-", "−"),
            f"{100 * found.mean(method, 'coverage_95'):.0f} %",
            run.cost("diffusion", "report", method, "train_core_s", 0),
        ]


def microscopes(run):
    """Rows of other datasets of diffusion, a column each."""
    found = [run.problem("diffusion", name) for name in ("bright", "dim", "report_continuous", "wide")]
    for method in ("ours", "ours_wide", "summary_ridge", "width_and_path", "cve", "cramer_rao"):
        cells = [one.interval(method, "rmse_ln_d", 2) for one in found]
        inside = [one.mean(method, "coverage_95") for one in found]
        limit = method == "cramer_rao"
        yield [method, *(f"{c}, {100 * i:.0f} %" if c and not limit else c for c, i in zip(cells, inside))]


def colloids(run):
    """Rows of dataset `levels`."""
    found = run.problem("colloids", "levels")

    def dense(method, metric, sigma):
        return [found.mean(method, metric, f"cnr={cnr}, phi=0.5, sigma_z_d={sigma}") for cnr in (8, 3)]

    for method in found.ranked("f1"):
        yield [
            method,
            found.kinds[method],
            found.interval(method, "f1", 3),
            *(number(sum(dense(method, "f1", sigma)) / 2, 2) for sigma in (0.2, 0.4, 0.6, 0.8)),
            *(number(rms(dense(method, "rms_z_d", sigma)), 3) for sigma in (0.4, 0.6)),
            run.cost("colloids", "levels", method, "seconds_per_item", "2g"),
            run.cost("colloids", "levels", method, "train_core_s", 0),
        ]


def smallest(run):
    """Rows of the smallest spheres that are tracked in `levels`; bold is the best of those that compete."""
    table = run.csv("colloids_smallest")
    table = table[(table["dataset"] == "levels") & table["cnr"].isin([8, 3])]
    size = table.pivot(index="method", columns=["phi", "cnr"], values="particle_size_um")
    size = size[[(phi, cnr) for phi in (0.1, 0.3, 0.5) for cnr in (8, 3)]]
    low, high = table["smallest_tested_um"].iloc[0], table["largest_tested_um"].iloc[0]
    found = run.problem("colloids", "levels")
    best = size[[found.kinds[method] in ORDER[:2] for method in size.index]].min()
    for method in found.ranked("f1"):
        cells = []
        for value, least in zip(size.loc[method], best):
            text = f"> {high:g}" if math.isinf(value) else f"≤ {low:g}" if value <= low else f"{value:.3g}"
            cells.append(f"**{text}**" if value == least and not math.isinf(value) else text)
        yield [method, *cells]


def fusion(run):
    """Rows of datasets `known` and `unseen_study`, against both targets."""
    names = "known", "unseen_study"
    own, fused = ([run.problem("fusion", name, extra) for name in names] for extra in ("", "_targets"))
    for method in own[0].ranked("n_ssim"):
        yield [
            method,
            own[0].kinds[method],
            *(one.interval(method, "n_ssim", 2) for one in own),
            *(one.interval(method, "n_ssim_fused", 2) for one in fused),
            run.cost("fusion", "known", method, "seconds_per_item", "2g"),
            run.cost("fusion", "known", method, "train_core_s", 0),
        ]


def segmentation(run):
    """Rows of dataset `bbbc005`."""
    found = run.problem("segmentation", "bbbc005")

    def nuclei(method, metric, digits, *blurs):
        return [number(found.mean(method, metric, f"blur_px={blur}, stain=0"), digits) for blur in blurs]

    for method in found.ranked("pixel_f1"):
        yield [
            method,
            found.kinds[method],
            found.interval(method, "pixel_f1", 3),
            *nuclei(method, "pixel_f1", 3, 1, 14, 32, 48),
            number(found.mean(method, "instance_f1_50"), 2),
            *nuclei(method, "count_mae", 1, 1, 48),
            run.cost("segmentation", "bbbc005", method, "seconds_per_item", "2g"),
            run.cost("segmentation", "bbbc005", method, "train_core_s", 0),
        ]


def mistakes(problem, metric, digits):
    """Function of the rows of a table of mistakes; bold where the interval of what is lost leaves out 0."""

    def rows(run):
        table = run.csv(f"{problem}_mistakes")
        table = table[table["metric"] == metric]
        names = list(dict.fromkeys(table["mistake"]))
        by = table.set_index(["method", "mistake"])
        for kind in ORDER[:2]:
            for method in dict.fromkeys(table.loc[table["kind"] == kind, "method"]):
                cells = []
                for name in names:
                    row = by.loc[(method, name)]
                    text = number(row["mean"], digits)
                    shown = row["loss_low"] > 0 or row["loss_high"] < 0
                    cells.append(f"**{text}**" if shown else text)
                yield [method, *cells]

    return rows


def short(rows, methods, columns):
    """Function of some rows and columns of a table: those of the methods that README.md shows, in the table's order."""

    def some(run):
        for method, *cells in rows(run):
            if method in methods:
                yield [method, *(cells[column] for column in columns)]

    return some


SHORT = {  # methods, and columns after the method's name
    diffusion: (
        "ours summary_ridge width_and_path ours_wide mle_known pix2d cve trackpy_msd cramer_rao_known prior_mean",
        (0, 1, 3, 4),
    ),
    colloids: (
        "ours ours_no_wiener peak_boosting wiener_peaks unet3d log trackpy trackpy_published detectable chance",
        (0, 1, 3, 4, 8, 9),
    ),
    fusion: (
        "local_boosting ours local_ridge flat_field_richardson_lucy richardson_lucy total_variation gaussian unet3d"
        " clean_views copy",
        (0, 1, 2, 5, 6),
    ),
    segmentation: (
        "pixel_boosting ours deconvolved_otsu deconvolved_watershed unet_instance otsu otsu_watershed unet_1e3 resolved"
        " all_foreground",
        (0, 1, 2, 5, 6, 9, 10),
    ),
}

TABLES = {
    **{f"{rows.__name__}, short": short(rows, names.split(), columns) for rows, (names, columns) in SHORT.items()},
    "diffusion": diffusion,
    "microscopes": microscopes,
    "diffusion mistakes": mistakes("diffusion", "rmse_ln_d", 2),
    "colloids": colloids,
    "smallest": smallest,
    "colloids mistakes": mistakes("colloids", "f1", 2),
    "fusion": fusion,
    "fusion mistakes": mistakes("fusion", "n_ssim", 2),
    "segmentation": segmentation,
    "segmentation mistakes": mistakes("segmentation", "pixel_f1", 2),
}


def rewritten(text, run):
    """A document with the rows of each table that is named in it."""

    def table(match):
        rows = [f"| `{method}` | {' | '.join(cells)} |" for method, *cells in TABLES[match["name"]](run)]
        return match["head"] + "\n".join(rows) + "\n"

    pattern = r"(?P<head><!-- laptop: (?P<name>[a-z, ]+) -->\n\n\|[^\n]*\n\|[-| ]*\n)(\|[^\n]*\n)*"
    return re.sub(pattern, table, text)


def figures(run, folder):
    """Copy the figures of README.md, and draw the one that no run has; a PNG each."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as drawn:
        problems_picture.draw(run / "datasets", Path(drawn, "problems.svg"))
        made = {name: run / "figures" / f"{figure}.png" for name, figure in FIGURES.items()}
        for name, file in {**made, "problems": Path(drawn, "problems.png")}.items():
            # 256 colours are enough for greys and a few lines, at a third of the size.
            Image.open(file).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(
                folder / f"{name}.png", optimize=True
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of a finished run")
    run = parser.parse_args().run
    for document in SHOWING:
        document.write_text(rewritten(document.read_text(encoding="utf-8"), Run(run)), encoding="utf-8")
    figures(run, ROOT / "docs/figures")


if __name__ == "__main__":
    main()
