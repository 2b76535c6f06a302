"""Every kind of file that somebody else may have written: a small valid one, and what of the library reads it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import pandas as pd
import tifffile
import torch
import yaml
import zarr
from PIL import Image

from blurbench.colloids import hdf5
from blurbench.colloids import preparation as colloids
from blurbench.diffusion.movie import open_movie
from blurbench.files import checksums, datasets, models, parquet, tables
from blurbench.files.answers import Images, Numbers, Points
from blurbench.files.datasets import Dataset
from blurbench.fusion import preparation as fusion
from blurbench.planning.merging import merged
from blurbench.running import integrity, methods, sweep
from blurbench.segmentation import preparation as segmentation
from blurbench.segmentation import simulate as segmentation_simulate

TESTS = Path(__file__).parents[1]
UUIDS = [f"urn:uuid:01234567-89ab-cdef-0123-456789abcde{k}" for k in range(2)]
SCHEMA = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
N = 4  # items of a dataset
FRAMES = 8


class Told(ValueError):
    """What the library says of a file without raising: a row's status, or a line of the check of a run."""


class Kind(NamedTuple):
    """What is written into an empty folder, what reads it, and which mutations beside those of bytes it takes.

    read : function (folder, folder for what it writes); raises what the library raises, or Told
    formats : names of groups in `mutations.GROUPS`
    """

    write: Callable
    read: Callable
    formats: tuple[str, ...]


def rng():
    return np.random.default_rng(0)


# Movies


def frames(n=FRAMES):
    return rng().integers(100, 4000, (n, 24, 30)).astype(np.uint16)


def read_film(path, **about):
    tracking = {"diameter_px": 5, "minmass": "auto", "search_range_px": 5, "memory": 0, "subtract_drift": False}
    known = {"pixel_size_um": 0.2, "frame_time_s": 0.01, "exposure_s": 0.01, "gain": 1.0, "offset": 0}
    movie = open_movie({**known, "file": str(path), "polarity": "bright", "tracking": tracking, **about})
    for i in range(len(movie)):
        movie.photons(i)


def imagej_film(folder):
    about = {"axes": "TYX", "unit": "um", "finterval": 0.01, "tunit": "s"}
    tifffile.imwrite(folder / "film.tif", frames(), imagej=True, resolution=(5, 5), metadata=about)


def shaped_film(folder):
    about = {"axes": "TYX", "PhysicalSizeX": 0.2, "unit": "um"}
    tifffile.imwrite(folder / "film.tif", frames(), metadata=about, compression="zlib", tile=(16, 16), predictor=True)


def packed_film(folder):
    kept = {"compression": "lzw", "predictor": True, "photometric": "minisblack", "metadata": None}
    tifffile.imwrite(folder / "film.tif", frames(), byteorder=">", bigtiff=True, rowsperstrip=5, **kept)


def jpeg_film(folder):
    pages = (frames() // 16).astype(np.uint8)
    tifffile.imwrite(folder / "film.tif", pages, compression="jpeg", photometric="minisblack", metadata={"axes": "TYX"})


def ome_text(images, sizes=FRAMES):
    pixels = f'DimensionOrder="XYZCT" Type="uint16" SizeX="30" SizeY="24" SizeZ="1" SizeC="1" SizeT="{sizes}" '
    pixels += 'PhysicalSizeX="0.2" PhysicalSizeXUnit="µm" PhysicalSizeY="200" PhysicalSizeYUnit="nm" TimeIncrement="10"'
    pixels += ' TimeIncrementUnit="ms" BigEndian="false"'
    channel = '<Channel ID="Channel:0:0" Name="GFP" SamplesPerPixel="1"/>'
    within = (
        f'<Image ID="Image:{k}"><Pixels ID="Pixels:{k}" {pixels}>{channel}{i}</Pixels></Image>' for k, i in images
    )
    return f'<?xml version="1.0"?><OME xmlns="{SCHEMA}" UUID="{UUIDS[0]}">{"".join(within)}</OME>'


def paged(path, pages, text):
    with tifffile.TiffWriter(path) as file:
        for k, page in enumerate(pages):
            described = text.encode() if k == 0 else None
            file.write(page, photometric="minisblack", description=described, metadata=None, contiguous=False)


def ome_film(folder):
    planes = "".join(
        f'<Plane TheZ="0" TheC="0" TheT="{t}" DeltaT="{10 * t}" DeltaTUnit="ms" ExposureTime="10" '
        'ExposureTimeUnit="ms"/>'
        for t in range(FRAMES)
    )
    paged(folder / "film.ome.tif", frames(), ome_text([(0, f"<TiffData/>{planes}")]))


def ome_film_of_two(folder):
    part = '<TiffData FirstT="{}" PlaneCount="4"><UUID FileName="{}">{}</UUID></TiffData>'
    names = ["film.ome.tif", "film_1.ome.tif"]
    text = ome_text([(0, "".join(part.format(4 * k, names[k], UUIDS[k]) for k in (0, 1)))])
    for k, name in enumerate(names):
        paged(folder / name, frames()[4 * k : 4 * k + 4], text.replace(UUIDS[0], UUIDS[k], 1))


def companion_film(folder):
    """Metadata in a file of their own, which an OME-TIFF names."""
    part = '<TiffData PlaneCount="8"><UUID FileName="film.ome.tif">{}</UUID></TiffData>'
    (folder / "film.companion.ome").write_text(ome_text([(0, part.format(UUIDS[1]))]), encoding="utf-8")
    about = f'<BinaryOnly MetadataFile="film.companion.ome" UUID="{UUIDS[0]}"/>'
    paged(folder / "film.ome.tif", frames(), ome_text([]).replace("</OME>", f"{about}</OME>"))


def zarr_image(path, pixels, names, scale, version, channel=None):
    units = {"t": ("time", "second")}
    axes = [dict(zip(("name", "type", "unit"), (n, *units.get(n, ("space", "micrometer"))))) for n in names]
    levels = [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": list(scale)}]}]
    about = {"version": version, "multiscales": [{"version": version, "axes": axes, "datasets": levels}]}
    if channel:
        about["omero"] = {"channels": [{"label": channel}]}
    new = version == "0.5"
    group = zarr.create_group(path, zarr_format=3 if new else 2, attributes={"ome": about} if new else about)
    chunks = (2, *pixels.shape[1:])
    group.create_array("0", shape=pixels.shape, chunks=chunks, dtype=pixels.dtype, fill_value=0)[:] = pixels


def zarr_film(folder, version="0.5"):
    zarr_image(folder / "film.ome.zarr", frames(), "tyx", (0.01, 0.2, 0.2), version)


def hdf5_film(folder):
    with h5py.File(folder / "film.hdf5", "w") as file:
        array = file.create_dataset("1", data=frames(), chunks=(2, 12, 15), compression=1)
        array.attrs["element_size_um"] = [1.0, 0.2, 0.2]
        for axis, name in zip(array.dims, ("time", "y", "x")):
            axis.label = name


def folder_film(folder):
    (folder / "film").mkdir()
    for k, page in enumerate(frames(6)):
        if k % 2:
            tifffile.imwrite(folder / "film" / f"frame_{k}.tif", page)
        else:
            Image.fromarray(page).save(folder / "film" / f"frame_{k}.png")


def stacks_film(folder):
    (folder / "film").mkdir()
    for k in range(3):
        pages = rng().integers(100, 400, (FRAMES, 12, 12)).astype(np.uint16)
        tifffile.imwrite(folder / "film" / f"stack_{k}.tif", pages, photometric="minisblack")


# Volumes of spheres

COLLOIDS = {
    "imaging": {
        "shape_px": [16, 16, 16],
        "diameter_px": 5,
        "psf": {"kind": "gaussian", "sigma_um": [0.2, 0.08, 0.08]},
        "offset": 100,
    },
    "particle_size_um": [0.22, 1.0],
    "phi": [0.1, 0.55],
    "cnr": [0.6, 10],
    "stream": "levels",
}


def spheres():
    noise = rng().poisson(50, (10, 16, 18))
    noise[4:7, 8:12, 8:12] += 400
    return (2 * noise + 50).astype(np.uint16)


def read_spheres(path, out, **about):
    known = {"voxel_um": [0.33, 0.2, 0.2], "diameter_um": 1.0, "gain": 2.0, "offset": 50, "polarity": "bright"}
    recording = {**known, "problem": "colloids", "dataset": "levels", "file": str(path), "inset_d": 0.2, **about}
    colloids.prepare(recording, COLLOIDS, out / "items.zarr", out / "items.json")


def imagej_spheres(folder):
    about = {"axes": "ZYX", "unit": "um", "spacing": 0.33}
    tifffile.imwrite(folder / "spheres.tif", spheres(), imagej=True, resolution=(5, 5), metadata=about)


def ome_spheres(folder):
    about = {"axes": "ZYX", "PhysicalSizeZ": 0.33, "PhysicalSizeY": 0.2, "PhysicalSizeX": 0.2}
    tifffile.imwrite(folder / "spheres.ome.tif", spheres(), ome=True, metadata=about, compression="zlib")


def zarr_spheres(folder):
    zarr_image(folder / "spheres.zarr", spheres(), "zyx", (0.33, 0.2, 0.2), "0.5")


def hdf5_spheres(folder):
    tags = [{"key": axis, "typeFlags": 2, "resolution": 0} for axis in "zyx"]
    with h5py.File(folder / "spheres.hdf5", "w") as file:
        file["1"] = spheres()
        file["1"].attrs["axistags"] = json.dumps({"axes": tags})
        file["0"] = h5py.SoftLink("/1")


# Views of a light sheet

VIEW = {"axes": "ZYX", "spacing": 1.5, "unit": "um", "channel": "nucleus", "study": 1}
VIEW |= {"PhysicalSizeZ": 1.5, "PhysicalSizeY": 0.4, "PhysicalSizeX": 0.4}
OPTICS = {"detection_na": 0.4, "emission_um": 0.52, "illumination_um": 0.488, "sheet_waist_um": 2.5, "fan": 0.1}


def view():
    return (2 * rng().poisson(20 + 100 * rng().random((6, 16, 18)) ** 3) + 100).astype(np.uint16)


def read_views(path, out, **about):
    known = {"problem": "fusion", "dataset": "tiny", "gain": 2, "offset": 100, "polarity": "bright", **OPTICS}
    spec = yaml.safe_load((TESTS / "fusion" / "tiny.yaml").read_text(encoding="utf-8"))
    fusion.prepare({**known, "file": str(path), **about}, spec, out / "items.zarr", out / "items.json")


def shaped_views(folder):
    for name in ("a_angle.tif", "a_fused.tif"):
        tifffile.imwrite(folder / name, view(), bigtiff=True, tile=(16, 16), resolution=(2.5, 2.5), metadata=VIEW)


def zarr_views(folder):
    zarr_image(folder / "a_angle.ome.zarr", view(), "zyx", (1.5, 0.4, 0.4), "0.5", "nucleus")
    zarr_image(folder / "a_fused.ome.zarr", view(), "zyx", (1.5, 0.4, 0.4), "0.5", "nucleus")


# Images of cells


def cells():
    labels, (y, x) = np.zeros((40, 48), np.uint8), np.indices((40, 48))
    for k, (cy, cx) in enumerate([(10, 10), (10, 34), (28, 20)]):
        labels[(y - cy) ** 2 + (x - cx) ** 2 <= 49] = k + 1
    return labels, (10 + rng().integers(0, 3, labels.shape) + 100 * (labels > 0)).astype(np.uint8)


def read_cells(folder, out):
    spec = yaml.safe_load((TESTS / "segmentation" / "tiny.yaml").read_text(encoding="utf-8"))
    known = {"problem": "segmentation", "dataset": "tiny", "gain": 1, "offset": 0, "polarity": "bright"}
    survey = segmentation.prepare({**known, "file": str(folder)}, spec, out / "items.zarr", out / "items.json")
    parquet.write(survey, out / "survey.parquet")
    if (wrong := survey["status"] != "ok").any():
        raise Told(survey["status"][wrong].iloc[0])


def cell_images(folder):
    labels, grey = cells()
    for name in ("a.png", "b.jpg", "c.bmp"):
        Image.fromarray(grey).save(folder / name)
    tifffile.imwrite(folder / "d.tif", grey)
    tifffile.imwrite(folder / "d_labels.tif", labels, compression="zlib")
    Image.fromarray(labels).save(folder / "a_labels.png")


def bbbc005(folder):
    (folder / "masks").mkdir()
    labels, grey = cells()
    for sample in (1, 2):
        for channel in (1, 2):
            name = f"SIMCEPImages_A01_C3_F1_s{sample:02d}_w{channel}.TIF"
            tifffile.imwrite(folder / name, grey)
        mask = np.where(labels, np.uint8(255), np.uint8(0))
        tifffile.imwrite(folder / "masks" / f"SIMCEPImages_A01_C3_F1_s{sample:02d}_w1.TIF", mask)


def read_bbbc005(folder, out):
    spec = yaml.safe_load((TESTS / "segmentation" / "tiny.yaml").read_text(encoding="utf-8"))
    asked = {"folder": str(folder), "masks": str(folder / "masks"), "items": {"train": 1, "validation": 0, "test": 1}}
    asked |= {"imaging": {"shape_px": [40, 48], "blur_px": [1]}, "test_blur_px": [1], "stains": ["nuclei", "cells"]}
    for split in ("test", "train"):
        for _ in segmentation_simulate.dataset(merged(spec, asked), split, 1).shards:
            pass


# Datasets, and answers to them

HEADER = {
    "problem": "diffusion",
    "dataset": "made_up",
    "split": "test",
    "seed": 3,
    "axes": ["item", "t", "y", "x"],
    "voxel_size": [None, 0.02, 0.2, 0.2],
    "units": [None, "second", "micrometer", "micrometer"],
    "spec": {"imaging": {"size_px": 8}, "D_um2_s": [0.1, 10]},
}


def dataset(folder):
    images = rng().integers(90, 120, (N, 3, 8, 8)).astype(np.uint16)
    D = np.arange(N) + 0.5
    items = pd.DataFrame({"D": D, "photons": 2 * D, "frames": 4, "left_field": D > 2})
    parts = [(images, items, {"D": D, "positions": rng().normal(size=(N, 3, 2)).astype(np.float32)})]
    datasets.write(folder / "test.zarr", folder / "test.json", HEADER, N, N, parts)


def read_dataset(folder, out):
    store, manifest = folder / "test.zarr", folder / "test.json"
    wrong = datasets.damage(store, manifest)
    found = Dataset.open(store)
    for part in (found, found.blind(), found.training()):
        for chunk in part.chunks():
            np.asarray(chunk.images)
            chunk.items.describe()
            for values in chunk.truth.values():
                np.asarray(values)
    if wrong:
        raise Told(wrong[0])


ROWS, POINTS = Numbers(("D", "D_lo95", "D_hi95")), Points(("z", "y", "x", "confidence"))
LABELS = Images("uint16")


def rows():
    D = rng().random(N)
    return pd.DataFrame({"item": range(N), "D": D, "D_lo95": D / 2, "D_hi95": 2 * D, "seconds": 0.1, "status": "ok"})


def points():
    item = [0, 0, 1, 2, 2, 3]
    numbers = {name: rng().random(6) for name in ("z", "y", "x", "confidence")}
    return pd.DataFrame({"item": item, **numbers, "seconds": 0.1, "status": "ok"})


def judged(answer, path):
    """What `read` and `damage` make of an answer; one never raises."""
    wrong = answer.damage(path, N)
    found = answer.read(path, N)
    if isinstance(answer, Images):
        for i in range(N):
            np.asarray(found.images[i])
    if wrong:
        raise Told(wrong[0])


def labels(folder):
    store = zarr.create_group(folder / "0.zarr", zarr_format=3)
    array = store.create_array("images", shape=(N, 8, 8), chunks=(1, 8, 8), dtype="uint16", fill_value=0)
    array[:] = rng().integers(0, 4, (N, 8, 8))
    about = {"shape": [N, 8, 8], "dtype": "uint16", "blake2b": datasets.checksum(array)}
    content = {"items": N, "arrays": {"images": about}, "seconds": [0.1] * N, "status": ["ok"] * N}
    (folder / "0.json").write_text(json.dumps(content), encoding="utf-8")


# Models and curves

ABOUT = {"method": "ours", "options": {"width": 8}, "seed": 1, "precision": "float32", "spec": HEADER["spec"]}


def curve():
    items = np.arange(1, 6) * 32
    table = {"items": items, "seconds": items / 10, "core_s": items / 9, "seconds_waited": 0.0}
    return pd.DataFrame({**table, "train_loss": 5.0 / items, "validation_loss": 6.0 / items, "learning_rate": 1e-3})


def model(folder):
    network = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3)).state_dict()
    models.write({**ABOUT, "network": dict(network), "scale": torch.ones(3)}, folder / "1.pt")
    curve().to_csv(folder / "1.csv", index=False)


def plain_model(folder):
    models.write({**ABOUT, "method": "watershed", "chosen": {"sigma": [1.0, 2.0]}}, folder / "1.pt")
    curve().to_csv(folder / "1.csv", index=False)


def read_model(folder, out):
    wrong = list(integrity._model(folder / "1.pt"))
    content = models.read(folder / "1.pt")
    methods.load("diffusion", "ours", None, folder / "1.pt")
    sweep.choose([{"width": 8}], [folder / "1.pt"], [folder / "1.csv"], out / "best.pt", out / "best.csv")
    if wrong:
        raise Told(wrong[0])
    assert isinstance(content, dict)


def checkpoint(folder):
    network = torch.nn.Linear(4, 3)
    optimiser = torch.optim.AdamW(network.parameters())
    network(torch.ones(2, 4)).sum().backward()
    optimiser.step()
    state = {"step": 1, "best": 0.5, "stale": 0, "curve": [{"items": 32}], "weights": network.state_dict()}
    now = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "rate": {"last_epoch": 1}}
    models.write({"fingerprint": "0123", "state": state, "now": now}, folder / "1.pt")


def read_checkpoint(folder, out):
    if wrong := list(integrity._checkpoint(folder / "1.pt")):
        raise Told(wrong[0])
    models.read(folder / "1.pt")


def curves(folder):
    curve().to_csv(folder / "1.csv", index=False)
    pd.DataFrame({"s": [12.5], "max_rss": [300.0]}).to_csv(folder / "benchmark.tsv", sep="\t", index=False)


def read_curves(folder, out):
    shutil.copyfile(folder / "1.csv", out / "1.pt") if (folder / "1.csv").is_file() else (out / "1.pt").touch()
    wrong = list(integrity._csv(folder / "1.csv"))
    sweep.choose([{"width": 8}], [out / "1.pt"], [folder / "1.csv"], out / "best.pt", out / "best.csv")
    if wrong:
        raise Told(wrong[0])


# HDF5 of dense colloids


def colloids_dataset(folder):
    centres = np.full((2, 5, 3), np.nan, np.float32)
    centres[0], centres[1, :4] = rng().random((5, 3)) * 0.5, rng().random((4, 3)) * 0.5
    truth = {"centres": centres, "diameters": np.where(np.isnan(centres[..., 0]), np.nan, 1.0).astype(np.float32)}
    numbers = {"phi": 0.3, "sigma_z_d": 0.4, "cnr": 3.0, "snr": 9.0, "particle_size_um": 1.0, "voxel_um": 0.1}
    numbers |= {"diameter_px": 10.0, "sigma_z_px": 4.0, "sigma_xy_px": 1.6, "brightness": 200.0}
    header = {**HEADER, "problem": "colloids", "axes": ["item", "z", "y", "x"], "voxel_size": [None] * 4}
    header["spec"] = {"imaging": {"shape_px": [6, 7, 8], "diameter_px": 10.0}}
    images = rng().integers(90, 1200, (2, 6, 7, 8)).astype(np.uint16)
    store = folder / "original.zarr"
    items = pd.DataFrame(numbers, index=range(2))
    datasets.write(store, store.with_suffix(".json"), header, 2, 2, [(images, items, truth)])
    return Dataset.open(store)


def hdf5_files(folder, export, name):
    original = folder / "original"
    original.mkdir()
    export(colloids_dataset(original), folder / name, uint8=True)
    shutil.rmtree(original)


def read_hdf5(read, path, out):
    read(path, out / "back.zarr")
    read_store = Dataset.open(out / "back.zarr")
    np.asarray(read_store.images)


# Tables


def scores():
    table = rows()[["item"]].assign(run="in", problem="diffusion", dataset="report", split="test", method="cve")
    table = table.assign(kind="classical", seed=0, metric="error", value=rng().random(N), unit="", direction="lower")
    return table.assign(status="ok")


def score_file(folder):
    path = folder / "scores" / "diffusion" / "report" / "cve"
    path.mkdir(parents=True)
    parquet.write(scores(), path / "0.parquet")


def read_scores(folder, out):
    path = folder / "scores/diffusion/report/cve/0.parquet"
    wrong = list(integrity._scores(path))
    parquet.read(path)
    if wrong:
        raise Told(wrong[0])


def sealed(folder):
    tables.write(rows(), folder / "a.csv")
    tables.write("text\n", folder / "b.md")
    checksums.write([folder / "a.csv", folder / "b.md"], folder / "tables.sha256")


def read_sealed(folder, out):
    if wrong := list(integrity._sealed(folder / "tables.sha256")) + list(integrity._csv(folder / "a.csv")):
        raise Told(wrong[0])


TIFF, ZARR = ("tiff",), ("json", "zarr")
KINDS = {
    "imagej_film": Kind(imagej_film, lambda f, out: read_film(f / "film.tif"), TIFF),
    "shaped_film": Kind(shaped_film, lambda f, out: read_film(f / "film.tif"), TIFF),
    "packed_film": Kind(packed_film, lambda f, out: read_film(f / "film.tif"), TIFF),
    "jpeg_film": Kind(jpeg_film, lambda f, out: read_film(f / "film.tif"), TIFF),
    "ome_film": Kind(ome_film, lambda f, out: read_film(f / "film.ome.tif"), ("tiff", "xml")),
    "ome_film_of_two": Kind(ome_film_of_two, lambda f, out: read_film(f / "film.ome.tif"), ("tiff", "xml")),
    "companion_film": Kind(companion_film, lambda f, out: read_film(f / "film.ome.tif"), ("tiff", "xml")),
    "zarr_film": Kind(zarr_film, lambda f, out: read_film(f / "film.ome.zarr"), ZARR),
    "zarr2_film": Kind(lambda f: zarr_film(f, "0.4"), lambda f, out: read_film(f / "film.ome.zarr"), ZARR),
    "hdf5_film": Kind(hdf5_film, lambda f, out: read_film(f / "film.hdf5", array="1"), ("hdf5",)),
    "folder_film": Kind(folder_film, lambda f, out: read_film(f / "film"), TIFF),
    "stacks_film": Kind(stacks_film, lambda f, out: read_film(f / "film", stacks=True), TIFF),
    "imagej_spheres": Kind(imagej_spheres, lambda f, out: read_spheres(f / "spheres.tif", out), TIFF),
    "ome_spheres": Kind(ome_spheres, lambda f, out: read_spheres(f / "spheres.ome.tif", out), ("tiff", "xml")),
    "zarr_spheres": Kind(zarr_spheres, lambda f, out: read_spheres(f / "spheres.zarr", out), ZARR),
    "hdf5_spheres": Kind(hdf5_spheres, lambda f, out: read_spheres(f / "spheres.hdf5", out, array="/0"), ("hdf5",)),
    "shaped_views": Kind(shaped_views, read_views, TIFF),
    "zarr_views": Kind(zarr_views, read_views, ZARR),
    "cells": Kind(cell_images, read_cells, TIFF),
    "bbbc005": Kind(bbbc005, read_bbbc005, TIFF),
    "dataset": Kind(dataset, read_dataset, ZARR),
    "numbers": Kind(
        lambda f: parquet.write(rows(), f / "0.parquet"), lambda f, out: judged(ROWS, f / "0.parquet"), ("parquet",)
    ),
    "numbers_csv": Kind(
        lambda f: rows().to_csv(f / "0.csv", index=False), lambda f, out: judged(ROWS, f / "0.csv"), ("csv",)
    ),
    "points": Kind(
        lambda f: parquet.write(points(), f / "0.parquet"), lambda f, out: judged(POINTS, f / "0.parquet"), ("parquet",)
    ),
    "points_csv": Kind(
        lambda f: points().to_csv(f / "0.csv", index=False), lambda f, out: judged(POINTS, f / "0.csv"), ("csv",)
    ),
    "labels": Kind(labels, lambda f, out: judged(LABELS, f / "0.zarr"), ZARR),
    "model": Kind(model, read_model, ("torch", "csv")),
    "plain_model": Kind(plain_model, read_model, ("torch", "csv")),
    "checkpoint": Kind(checkpoint, read_checkpoint, ("torch",)),
    "curves": Kind(curves, read_curves, ("csv",)),
    "research_hdf5": Kind(
        lambda f: hdf5_files(f, hdf5.export_research, "data.hdf5"),
        lambda f, out: read_hdf5(hdf5.import_research, f / "data.hdf5", out),
        ("hdf5", "json"),
    ),
    "challenge_hdf5": Kind(
        lambda f: hdf5_files(f, hdf5.export_challenge, "x_data.hdf5"),
        lambda f, out: read_hdf5(hdf5.import_challenge, f / "x_data.hdf5", out),
        ("hdf5", "csv"),
    ),
    "scores": Kind(score_file, read_scores, ("parquet",)),
    "sealed": Kind(sealed, read_sealed, ("csv",)),
}
