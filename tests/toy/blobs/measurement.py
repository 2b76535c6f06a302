"""What the methods say about a real movie of blobs: how bright it is without its noise."""

import pandas as pd

from blurbench.drawing import style
from blurbench.running.measurement import Measurement, answers


def measure(recording: dict, items, survey, entries: dict, device: str, resamples: int, seed: int) -> Measurement:
    """Mean photons of every frame by every method, and the mean over frames."""
    rows = []
    for name, entry, runs in answers(items, entries, device):
        for trained, found in runs.items():
            table = found.table.assign(photons=[found.images[i].mean() for i in range(len(items))])
            rows.append(table.assign(method=name, kind=entry["kind"], seed=trained))
    details = pd.concat(rows, ignore_index=True)
    methods = details.groupby(["method", "kind"], sort=False, as_index=False)["photons"].mean()
    return Measurement(methods, details, survey)


def draw(path, recording: dict, items, survey, measurement: Measurement) -> None:
    """Mean photons of every frame, as it is and by every method."""
    with style.figure(path) as drawing:
        ax = drawing.subplots()
        ax.plot(survey["frame"], survey["photons"], color="0.6", label="as recorded")
        for name, rows in measurement.details.groupby("method", sort=False):
            ax.plot(rows["item"], rows["photons"], label=name)
        ax.set(xlabel="frame", ylabel="mean photons")
        ax.legend()
