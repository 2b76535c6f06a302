"""What the methods make of real volumes: how like the fused ones, where these are at hand, and how even with depth."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from blurbench.files.answers import OK
from blurbench.fusion.items import SHAPE, read
from blurbench.fusion.orientation import turned_back
from blurbench.fusion.preparation import fused_of, settings
from blurbench.fusion.score import DEPTHS, similarities
from blurbench.fusion.sections import GREYS, cut
from blurbench.fusion.sections import draw as draw_sections
from blurbench.fusion.ssim import normalised
from blurbench.fusion.volume_files import read as open_volume
from blurbench.fusion.volume_files import write
from blurbench.running.measurement import Measurement, answers
from blurbench.scoring.statistics import replicate, resampling

BRIGHT = 99  # percentile of a third of the planes: the light of structures, not of what is around
SCORES = ("n_ssim", "n_ssim_foreground", "ssim", "psnr", *(f"n_ssim_{depth}" for depth in DEPTHS))
INTERVAL = ("n_ssim", "ci_low", "ci_high")
NUMBERS = (
    "n_scored",
    *INTERVAL,
    "fraction_below_0",
    *SCORES[1:],
    "deep_over_shallow",
    "seconds",
    "n_seeds",
    "n_failed",
)
VIEW, FUSED = "view", "fused"  # what stands beside the methods in profiles and sections


def measure(recording: dict, items, survey: pd.DataFrame, entries: dict, device: str, resamples: int, seed: int):
    """Restore every volume by every method, and score those that a fused one lies beside.

    One volume is in memory at a time. Where the recording names a folder, `restored`, the answers of the first training
    seed are written there as `<method>/<name>`, in the likeness of the files read, in their grey values.

    Parameters
    ----------
    recording : entry of the configuration
    items : Dataset that `preparation.prepare` wrote;  survey : what it returned
    entries, device : as in `running.measurement.answers`
    resamples, seed : of the bootstrap behind the interval of a median

    Returns
    -------
    Measurement of

    methods : one row per method: the number of volumes that are scored, `n_scored`; over these the median `n_ssim` with
        its interval, `fraction_below_0` and the medians of the other scores (`blurbench.fusion.score`), of means over
        training seeds; medians of `deep_over_shallow` and of the seconds a volume; `n_seeds`, `n_failed`
    details : method, kind, seed, view, status, seconds, the scores, and `deep_over_shallow`, the light of the brightest
        structures (percentile 99) in the deepest third of the planes over that in the first: 1 where depth takes none
    reference : method (the view and the fused volume among them), view, depth_um, photons: the mean of each plane
    """
    recording, rows, profiles, sections = settings(recording), [], [], {}
    for i, file in enumerate(survey.itertuples()):
        shown = {VIEW: read(items, i).photons}
        if file.fused:
            shown[FUSED] = _photons(fused_of(file.fused, recording), items)
        profiles += [_profile(name, file, volume) for name, volume in shown.items()]
        if i == 0:
            sections |= {name: cut(volume) for name, volume in shown.items()}
    with TemporaryDirectory() as folder:
        for name, entry, runs in answers(items, entries, device, folder):
            for number, (trained, found) in enumerate(runs.items()):
                for i, file in enumerate(survey.itertuples()):
                    about = {"method": name, "kind": entry["kind"], "seed": trained, "view": Path(file.view).name}
                    rows.append({**about, **found.table.loc[i, ["status", "seconds"]]})
                    if rows[-1]["status"] != OK:
                        continue
                    volume = found.images[i][tuple(map(slice, items.items.loc[i, list(SHAPE)]))]
                    rows[-1] |= _described(volume, items, i, file, recording)
                    if number == 0:
                        profiles.append(_profile(name, file, volume))
                        if i == 0:
                            sections[name] = cut(volume)
                        if "restored" in recording:
                            _keep(Path(recording["restored"], name), volume, items, file, recording)
    details = pd.DataFrame(rows)
    columns = ["method", "kind", "seed", "view", "status", "seconds", *SCORES, "deep_over_shallow"]
    details = details.reindex(columns=columns)
    summaries = [_summary(*part, resamples, seed) for part in details.groupby("method", sort=False)]
    table = pd.DataFrame(summaries, columns=["method", "kind", *NUMBERS])
    return Measurement(table, details, pd.concat(profiles, ignore_index=True), sections)


def _photons(grey, items):
    calibration = items.spec["calibration"]
    return (grey - np.float32(calibration["offset"])) / np.float32(calibration["gain"])


def _profile(method, file, volume):
    """Mean photons of every plane."""
    depth = np.arange(len(volume)) * file.z_um
    about = {"method": method, "view": Path(file.view).name, "depth_um": depth}
    return pd.DataFrame({**about, "photons": volume.mean(axis=(1, 2), dtype=float)})


def _described(volume, items, i, file, recording):
    """Evenness of an answer, and its scores where there is a fused volume."""
    thirds = np.array_split(volume, len(DEPTHS))
    first, deepest = (float(np.percentile(thirds[k], BRIGHT)) for k in (0, -1))
    about = {"deep_over_shallow": deepest / first if first > 0 else np.nan}
    if not file.fused:
        return about
    triple = (volume, read(items, i).photons, fused_of(file.fused, recording))
    found = similarities(*map(normalised, triple))
    return about | {name: found[name] for name in SCORES}


def _keep(folder, volume, items, file, recording):
    """Write an answer as the microscope would have: turned back, in grey values of the file's type."""
    like, calibration = open_volume(file.view), items.spec["calibration"]
    grey = turned_back(volume, recording["light"], recording["depth"]) * np.float32(calibration["gain"])
    grey += np.float32(calibration["offset"])
    if like.dtype.kind in "ui":
        limits = np.iinfo(like.dtype)
        grey = np.clip(np.rint(grey, out=grey), limits.min, limits.max, out=grey)
    write(folder / Path(file.view).name, grey.astype(like.dtype), like, (file.z_um, file.y_um, file.x_um))


def _summary(method, rows, resamples, seed):
    """Row of a method, over volumes."""
    wide = rows.pivot(index="seed", columns="view", values="n_ssim").to_numpy(float)
    wide = wide[:, np.isfinite(wide).any(axis=0)]
    about = {"method": method, "kind": rows["kind"].iloc[0], "n_scored": wide.shape[1]}
    if wide.shape[1]:
        median = replicate(wide[None], "median", resampling(wide.shape[1], resamples, seed))
        numbers = (value[0] for value in (median.value, *median.interval()))
        about |= dict(zip(INTERVAL, numbers))
        about["fraction_below_0"] = np.mean(wide[np.isfinite(wide)] < 0)
    by_view = rows.groupby("view")[[*SCORES[1:], "deep_over_shallow", "seconds"]].mean()
    failed = int((rows["status"] != OK).sum())
    return {**about, **by_view.median().to_dict(), "n_seeds": rows["seed"].nunique(), "n_failed": failed}


def draw(path, recording: dict, items, survey: pd.DataFrame, measurement: Measurement) -> None:
    """Sections of the first volume, as it is, by every method, and fused.

    Parameters
    ----------
    path : file to write
    recording, items, survey : as in `measure`;  measurement : what it returned
    """
    shown = dict(measurement.pictures)
    reference = shown.get(FUSED, shown[VIEW])
    greys = np.percentile(np.concatenate([section.ravel() for section in reference.values()]), GREYS)
    if FUSED in shown:
        shown[FUSED] = shown.pop(FUSED)  # the last of them
    sides = items.items.loc[0, list(SHAPE)].to_numpy(float) * read(items, 0).optics.spacing_um
    draw_sections(path, shown, greys, sides, Path(survey["view"].iloc[0]).name)
