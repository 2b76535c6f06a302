"""What the methods find in real images: labels, counts and cells, and how right they are where the truth is at hand."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from skimage.measure import regionprops_table

from blurbench.drawing import style
from blurbench.drawing.style import MM
from blurbench.files.answers import OK
from blurbench.running.measurement import Measurement, answers
from blurbench.scoring.statistics import replicate, resampling
from blurbench.segmentation.image_files import are_instances, read, read_labels, write_labels, write_picture
from blurbench.segmentation.overlay import overlay
from blurbench.segmentation.score import count, counting, masks

SHARES = ("pixel_f1", "pixel_precision", "pixel_recall", "pixel_iou", "instance_f1_50", "instance_f1_mean")
SCORES = (*SHARES, "count_error", "count_relative", "hausdorff_95")
INTERVALS = ("pixel_f1", "instance_f1_50")  # those with an interval
IMAGE = ["method", "kind", "seed", "image", "status", "seconds", "count", *SCORES]
CELL = {  # columns of the table of cells: names of scikit-image's, in px and grey values of the file
    "label": "label",
    "centroid-0": "y",
    "centroid-1": "x",
    "area": "area_px",
    "equivalent_diameter_area": "diameter_px",
    "intensity_mean": "intensity_mean",
    "intensity_max": "intensity_max",
}
ORIGINAL = "image"  # what stands beside the methods in the picture
SIDE = 512  # px shown of an image
MOST = 4  # pictures in a row


def measure(recording: dict, items, survey: pd.DataFrame, entries: dict, device: str, resamples: int, seed: int):
    """Segment every image by every method, list the cells, and score those images that a truth lies beside.

    One image is in memory at a time. Where the recording names a folder, `labels`, the answers of the first training
    seed are written there as `<method>/<name>_labels.tif` and, with outlines, `<method>/<name>_outlines.png`.

    Parameters
    ----------
    recording : entry of the configuration
    items : Dataset that `preparation.prepare` wrote;  survey : what it returned
    entries, device : as in `running.measurement.answers`
    resamples, seed : of the bootstrap behind the intervals

    Returns
    -------
    Measurement of

    methods : one row per method: mean `count` and `seconds` an image; over the `n_scored` images with a truth the means
        of the scores (`blurbench.segmentation.score`), of means over training seeds, with intervals; `count_mae` and
        `count_bias`; `n_images` that were measured, `n_bad` files that were not, `n_seeds`, `n_failed`
    details : one row per cell: method, kind, seed, image, label, y, x, area_px, diameter_px (of a disc of that area),
        intensity_mean and intensity_max in grey values of the file
    reference : one row per method, seed and image: status, seconds, count and the scores; and one, without a method,
        for each file that was not measured, whose status says why
    """
    cells, rows, pictures = [], [], {}
    measured = survey[survey["status"] == OK].reset_index(drop=True)
    with TemporaryDirectory() as folder:
        for name, entry, runs in answers(items, entries, device, folder):
            for number, (trained, found) in enumerate(runs.items()):
                for i, file in enumerate(measured.itertuples()):
                    path = Path(file.image)
                    about = {"method": name, "kind": entry["kind"], "seed": trained, "image": path.name}
                    rows.append({**about, **found.table.loc[i, ["status", "seconds"]]})
                    if rows[-1]["status"] != OK:
                        continue
                    grey, labels = read(path), found.images[i][: file.height_px, : file.width_px]
                    truth = read_labels(file.truth, grey.shape) if file.truth else None
                    rows[-1] |= {"count": count(labels), **_scores(labels, truth, file.truth)}
                    cells.append(_cells(labels, grey).assign(**about))
                    if number == 0:
                        if "labels" in recording:
                            _keep(Path(recording["labels"], name), path.stem, grey, labels, truth)
                        if i == 0:
                            pictures |= {ORIGINAL: _middle(grey, None, truth), name: _middle(grey, labels, truth)}
    bad = survey[survey["status"] != OK]
    refused = pd.DataFrame({"image": [Path(file).name for file in bad["image"]], "status": bad["status"].to_numpy()})
    images = pd.DataFrame(rows).reindex(columns=IMAGE)
    about = {"n_images": len(measured), "n_bad": len(bad)}
    table = [_summary(*part, resamples, seed) | about for part in images.groupby("method", sort=False)]
    columns = [*IMAGE[:3], "image", *CELL.values()]
    details = pd.concat(cells, ignore_index=True)[columns] if cells else pd.DataFrame(columns=columns)
    reference = pd.concat([images, refused], ignore_index=True) if len(refused) else images
    return Measurement(pd.DataFrame(table), details, reference, pictures)


def _scores(labels, truth, file):
    """Scores of one answer, none without a truth."""
    if truth is None:
        return {}
    known = are_instances(file, truth)
    found = masks(labels, truth, known) | (counting(count(labels), count(truth)) if known else {})
    return {name: found[name] for name in SCORES if name in found}


def _cells(labels, grey):
    """Row of each cell."""
    properties = tuple(dict.fromkeys(name.partition("-")[0] for name in CELL))
    return pd.DataFrame(regionprops_table(labels, grey, properties=properties)).rename(columns=CELL)


def _keep(folder, stem, grey, labels, truth):
    """Write an answer as labels and as a picture."""
    write_labels(folder / f"{stem}_labels.tif", labels)
    write_picture(folder / f"{stem}_outlines.png", overlay(grey, labels, truth))


def _middle(grey, labels, truth):
    """The middle of an image with outlines, as a picture, and how many cells there are in all."""
    window = tuple(slice(max((n - SIDE) // 2, 0), (n + SIDE) // 2) for n in grey.shape)
    cut = [x if x is None else x[window] for x in (labels, truth)]
    return overlay(grey[window], *cut), None if labels is None else count(labels)


def _summary(method, rows, resamples, seed):
    """Row of a method, over images."""
    by_image = rows.groupby("image", sort=False)[["count", "seconds", *SCORES]].mean()
    row = {"method": method, "kind": rows["kind"].iloc[0], "n_scored": int(by_image["pixel_f1"].notna().sum())}
    for name in SHARES:
        row[name] = by_image[name].mean()
        if name in INTERVALS:
            wide = rows.pivot(index="seed", columns="image", values=name).to_numpy(float)
            found = replicate(wide[None], "mean", resampling(wide.shape[1], resamples, seed))
            row |= dict(zip((f"{name}_low", f"{name}_high"), (float(end[0]) for end in found.interval())))
    row |= {"count_mae": by_image["count_error"].abs().mean(), "count_bias": by_image["count_error"].mean()}
    row |= {"count_relative": by_image["count_relative"].abs().mean(), "hausdorff_95": by_image["hausdorff_95"].mean()}
    row |= {"count": by_image["count"].mean(), "seconds": by_image["seconds"].mean()}
    return row | {"n_seeds": rows["seed"].nunique(), "n_failed": int((rows["status"] != OK).sum())}


def draw(path, recording: dict, items, survey: pd.DataFrame, measurement: Measurement) -> None:
    """The middle of the first image, as it is and with the outlines by every method.

    Parameters
    ----------
    path : file to write
    recording, items, survey : as in `measure`;  measurement : what it returned
    """
    shown = measurement.pictures
    if not shown:
        return style.empty(path, "no answer")
    columns = min(len(shown), MOST)
    rows = -(-len(shown) // columns)
    height, width, _ = shown[ORIGINAL][0].shape
    panel = (style.WIDTH - 2 * MM) / columns
    with style.figure(path, style.WIDTH, rows * (panel * height / width + 5 * MM) + 6 * MM) as drawing:
        axes = list(drawing.subplots(rows, columns, squeeze=False).flat)
        first = Path(survey.loc[survey["status"] == OK, "image"].iloc[0]).name
        drawing.suptitle(f"{first} (blue: found, orange: truth, white: both)")
        for ax, (name, (picture, cells)) in zip(axes, shown.items()):
            ax.imshow(picture, interpolation="none")
            ax.set_title(name + ("" if cells is None else f", n = {cells}"), pad=2)
        for ax in axes:
            ax.set_axis_off()
