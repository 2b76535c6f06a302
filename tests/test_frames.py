"""Reading movies and volumes in every format, and refusing what cannot be used."""

import contextlib
import gc
import json
import shutil
import warnings

import numpy as np
import pytest
import tifffile
import zarr
from skimage.io import imsave

from blurbench.microscopy.frames import MOVIE, VOLUME, read
from blurbench.microscopy.photon_transfer import pixel_statistics
from blurbench.microscopy.recording_error import RecordingError


@pytest.fixture
def movie():
    return np.random.default_rng(0).integers(0, 4000, (12, 20, 30)).astype(np.uint16)


def write_ome_zarr(path, movie, version, unit="micrometer"):
    axes = [{"name": "t", "type": "time", "unit": "millisecond"}, {"name": "c", "type": "channel"}]
    axes += [{"name": a, "type": "space", "unit": unit} for a in "zyx"]
    levels = [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [50, 1, 1, 0.2, 0.2]}]}]
    multiscales = [{"axes": axes, "datasets": levels}]
    attributes = (
        {"multiscales": multiscales} if version == 2 else {"ome": {"version": "0.5", "multiscales": multiscales}}
    )
    group = zarr.create_group(path, zarr_format=version, attributes=attributes)
    group.create_array("0", data=movie[:, None, None], chunks=(1, 1, 1, *movie.shape[1:]))


def write_folder(path, movie):
    path.mkdir()
    for i, frame in enumerate(movie):
        imsave(path / f"frame{i}.png", frame, check_contrast=False)  # frame10 must not follow frame1


def write_ome_tiff(path, movie, **metadata):
    about = {
        "axes": "TYX",
        "PhysicalSizeX": 200,
        "PhysicalSizeXUnit": "nm",
        "TimeIncrement": 50,
        "TimeIncrementUnit": "ms",
    }
    tifffile.imwrite(path, movie, ome=True, metadata={**about, **metadata})


WRITERS = {
    "pages.tif": lambda path, movie: tifffile.imwrite(path, movie, metadata=None, photometric="minisblack"),
    "stack.tif": lambda path, movie: tifffile.imwrite(path, movie, metadata={"axes": "TYX"}),
    "imagej.tif": lambda path, movie: tifffile.imwrite(
        path, movie, imagej=True, resolution=(5, 5), metadata={"axes": "TYX", "unit": "um", "finterval": 0.05}
    ),
    "as_z.tif": lambda path, movie: tifffile.imwrite(path, movie, imagej=True, metadata={"axes": "ZYX"}),
    "packed.tif": lambda path, movie: tifffile.imwrite(path, movie, compression="deflate", predictor=True),
    "lzw.tif": lambda path, movie: tifffile.imwrite(path, movie, compression="lzw"),
    "movie.ome.tif": write_ome_tiff,
    "movie04.zarr": lambda path, movie: write_ome_zarr(path, movie, 2),
    "movie05.zarr": lambda path, movie: write_ome_zarr(path, movie, 3),
    "folder": write_folder,
}
CALIBRATED = {"imagej.tif", "movie.ome.tif", "movie04.zarr", "movie05.zarr"}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_is_read_frame_by_frame(tmp_path, movie, name):
    WRITERS[name](tmp_path / name, movie)
    found = read(tmp_path / name)
    assert found.shape == movie.shape and found.dtype == np.uint16
    np.testing.assert_array_equal([found[i] for i in range(len(found))], movie)
    expected = (0.2, 0.05) if name in CALIBRATED else (None, None)
    assert (found.pixel_size_um, found.frame_time_s) == pytest.approx(expected)


def write_zarr_volume(path, volume):
    axes = [{"name": a, "type": "space", "unit": "micrometer"} for a in "zyx"]
    levels = [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [0.3, 0.2, 0.2]}]}]
    ome = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": levels}]}
    zarr.create_group(path, zarr_format=3, attributes={"ome": ome}).create_array("0", data=volume)


VOLUME_WRITERS = {
    "volume.ome.tif": lambda path, volume: write_ome_tiff(
        path, volume, axes="ZYX", PhysicalSizeZ=300, PhysicalSizeZUnit="nm", TimeIncrement=None
    ),
    "imagej.tif": lambda path, volume: tifffile.imwrite(
        path, volume, imagej=True, resolution=(5, 5), metadata={"axes": "ZYX", "unit": "um", "spacing": 0.3}
    ),
    "shaped.tif": lambda path, volume: tifffile.imwrite(
        path, volume, metadata={"axes": "ZYX", "unit": "nm", "PhysicalSizeX": 200, "physical_size_z": 300}
    ),
    "spacings.tif": lambda path, volume: tifffile.imwrite(
        path, volume, metadata={"axes": "ZYX", "unit": "µm", "spacing": [0.3, 0.25, 0.2]}
    ),
    "volume.zarr": write_zarr_volume,
    "folder": write_folder,
}


@pytest.mark.parametrize("name", VOLUME_WRITERS)
def test_a_volume_is_read_slice_by_slice(tmp_path, movie, name):
    VOLUME_WRITERS[name](tmp_path / name, movie)
    found = read(tmp_path / name, VOLUME)
    np.testing.assert_array_equal([found[i] for i in range(len(found))], movie)
    assert found.points == read(tmp_path / name, VOLUME, point=0).points == 1
    expected = (None, None, None) if name == "folder" else (0.2, None, 0.3)
    assert (found.pixel_size_um, found.frame_time_s, found.slice_um) == pytest.approx(expected)


def write_zarr_volumes(path, volumes):
    axes = [{"name": "t", "type": "time"}, *({"name": a, "type": "space"} for a in "zyx")]
    levels = [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1, 0.3, 0.2, 0.2]}]}]
    ome = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": levels}]}
    zarr.create_group(path, zarr_format=3, attributes={"ome": ome}).create_array("0", data=volumes)


TIMED_WRITERS = {
    "imagej.tif": lambda path, volumes: tifffile.imwrite(path, volumes, imagej=True, metadata={"axes": "TZYX"}),
    "times.ome.tif": lambda path, volumes: tifffile.imwrite(path, volumes, ome=True, metadata={"axes": "TZYX"}),
    "shaped.tif": lambda path, volumes: tifffile.imwrite(path, volumes, metadata={"axes": "TZYX"}),
    "depth_first.tif": lambda path, volumes: tifffile.imwrite(
        path, np.ascontiguousarray(volumes.swapaxes(0, 1)), metadata={"axes": "ZTYX"}
    ),
    "times.zarr": write_zarr_volumes,
}


@pytest.mark.parametrize("name", TIMED_WRITERS)
def test_volumes_over_time_are_read_one_by_one(tmp_path, movie, name):
    volumes = movie.reshape(3, 4, 20, 30)
    TIMED_WRITERS[name](tmp_path / name, volumes)
    for point, volume in enumerate(volumes):
        found = read(tmp_path / name, VOLUME, point=point)
        assert found.points == 3 and found.shape == (4, 20, 30)
        np.testing.assert_array_equal([found[i] for i in range(len(found))], volume)
    with pytest.raises(
        RecordingError, match="several long axes .* expected depth alone beside y and x: save one point"
    ):
        read(tmp_path / name, VOLUME)


def test_what_else_a_file_says_is_kept(tmp_path, movie):
    about = {"axes": "ZYX", "unit": "um", "spacing": [0.3, 0.25, 0.2], "channel": "nucleus"}
    tifffile.imwrite(tmp_path / "shaped.tif", movie, metadata=about)
    found = read(tmp_path / "shaped.tif", VOLUME)
    assert found.row_um == 0.25 and about.items() <= found.about.items()


def test_a_size_that_is_stated_twice_and_differently_is_refused(tmp_path, movie):
    about = {"axes": "ZYX", "unit": "um", "spacing": 0.3, "PhysicalSizeZ": 0.5}
    tifffile.imwrite(tmp_path / "two.tif", movie, metadata=about)
    with pytest.raises(RecordingError, match="two.tif: size of a voxel along z: found 0.5 µm and 0.3 µm, .*") as told:
        read(tmp_path / "two.tif", VOLUME)
    assert "no number" not in str(told.value)


def test_slices_along_the_last_axis_are_refused(tmp_path, movie):
    tifffile.imwrite(
        tmp_path / "last.tif", np.moveaxis(movie, 0, -1), photometric="minisblack", metadata={"axes": "YXZ"}
    )
    with pytest.raises(
        RecordingError, match="axes: found 'YXZ', the slices along the axis z behind y, expected .z, y, x."
    ):
        read(tmp_path / "last.tif", VOLUME)


def test_faults_of_a_volume_are_told_as_such(tmp_path, movie):
    tifffile.imwrite(tmp_path / "one.tif", movie[0])
    with pytest.raises(RecordingError, match=r"found one slice, expected a volume of at least two slices \(z, y, x\)"):
        read(tmp_path / "one.tif", VOLUME)
    write_folder(tmp_path / "folder", movie)
    imsave(tmp_path / "folder/frame5.png", movie[5, :10], check_contrast=False)
    with pytest.raises(RecordingError, match="slice 5: found the shape"):
        read(tmp_path / "folder", VOLUME)[5]


def test_missing_file(tmp_path):
    with pytest.raises(RecordingError, match="none.tif: file: found nothing"):
        read(tmp_path / "none.tif")


@pytest.mark.parametrize("content", [b"", b"no image at all", b"II*\0"])
def test_file_that_is_no_image(tmp_path, content):
    (tmp_path / "text.tif").write_bytes(content)
    with pytest.raises(RecordingError, match="text.tif: file: found no image that can be read"):
        read(tmp_path / "text.tif")


def test_truncated_file(tmp_path, movie):
    tifffile.imwrite(tmp_path / "whole.tif", movie, compression="deflate")
    content = (tmp_path / "whole.tif").read_bytes()
    (tmp_path / "half.tif").write_bytes(content[: len(content) // 2])
    with pytest.raises(RecordingError, match="half.tif"):
        pixel_statistics(read(tmp_path / "half.tif"))


@pytest.mark.parametrize("shape", [(4, 20, 30), (1, 20, 30)])
def test_a_movie_that_is_let_go_closes_its_file(tmp_path, movie, shape):
    tifffile.imwrite(tmp_path / "stack.tif", movie[: shape[0]], photometric="minisblack")
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        with contextlib.suppress(RecordingError):  # a file that is refused is closed as well
            assert read(tmp_path / "stack.tif")[0].shape == shape[1:]
        gc.collect()
    assert not [w for w in raised if issubclass(w.category, ResourceWarning)]


def test_folder_of_something_else(tmp_path):
    with pytest.raises(RecordingError, match="an empty folder"):
        read(tmp_path)
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(RecordingError, match="notes.txt: file: found no image that can be read"):
        read(tmp_path)


def test_zarr_without_an_image(tmp_path):
    zarr.create_group(tmp_path / "empty.zarr")
    with pytest.raises(RecordingError, match="no multiscale image"):
        read(tmp_path / "empty.zarr")


def test_empty_movie(tmp_path, movie):
    write_ome_zarr(tmp_path / "empty.zarr", movie[:0], 3)
    with pytest.raises(RecordingError, match="an empty movie"):
        read(tmp_path / "empty.zarr")


@pytest.mark.parametrize(("kind", "what"), [(MOVIE, "movie's frame"), (VOLUME, "volume")])
def test_a_size_that_no_memory_holds_is_refused(tmp_path, kind, what):
    """An array may declare any shape at no cost."""
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
    levels = [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1.0, 1.0, 1.0]}]}]
    ome = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": levels}]}
    group = zarr.create_group(tmp_path / "vast.zarr", zarr_format=3, attributes={"ome": ome})
    group.create_array("0", shape=(1000, 10**6, 10**6), chunks=(1, 1000, 1000), dtype="uint16")
    with pytest.raises(RecordingError, match=f"vast.zarr: size: found .* MB declared for a {what}, expected at most"):
        read(tmp_path / "vast.zarr", kind)


def test_fewer_than_two_frames(tmp_path, movie):
    tifffile.imwrite(tmp_path / "one.tif", movie[0])
    with pytest.raises(RecordingError, match="found one frame, expected a movie of at least two frames"):
        read(tmp_path / "one.tif")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers(tmp_path, movie, value):
    bad = movie.astype(np.float32)
    bad[7, 3, 3] = value
    tifffile.imwrite(tmp_path / "bad.tif", bad)
    with pytest.raises(RecordingError, match="bad.tif: frame 7: found 1 pixels that are NaN or infinite"):
        pixel_statistics(read(tmp_path / "bad.tif"))


def test_colours(tmp_path, movie):
    rgb = np.stack([movie] * 3, axis=-1).astype(np.uint8)
    tifffile.imwrite(tmp_path / "rgb.tif", rgb, photometric="rgb")
    with pytest.raises(RecordingError, match="3 channels .* save it alone"):
        read(tmp_path / "rgb.tif")
    (tmp_path / "images").mkdir()
    for i in range(2):
        imsave(tmp_path / f"images/{i}.png", rgb[i], check_contrast=False)
    with pytest.raises(RecordingError, match="0.png: channels: found 3 channels"):
        read(tmp_path / "images")


def test_several_long_axes(tmp_path, movie):
    tifffile.imwrite(tmp_path / "volume.tif", movie.reshape(4, 3, 20, 30), imagej=True, metadata={"axes": "TZYX"})
    with pytest.raises(RecordingError, match="several long axes .t: 4, z: 3."):
        read(tmp_path / "volume.tif")


def test_wrong_pixel_type(tmp_path, movie):
    tifffile.imwrite(tmp_path / "complex.tif", movie.astype(np.complex64))
    with pytest.raises(RecordingError, match="pixel type: found complex64"):
        read(tmp_path / "complex.tif")


def test_frames_of_different_shape(tmp_path, movie):
    write_folder(tmp_path / "folder", movie)
    imsave(tmp_path / "folder/frame5.png", movie[5, :10], check_contrast=False)
    with pytest.raises(RecordingError, match=r"frame 5: found the shape \(10, 30\), expected \(20, 30\)"):
        pixel_statistics(read(tmp_path / "folder"))


@pytest.mark.parametrize(
    ("unit", "um"),
    [("microns", 0.1), ("Micrometers", 0.1), ("pixels", None), ("micrometres", 0.1), ("nm", 1e-4), ("inches", 2540.0)],
)
def test_units_in_the_plural_and_in_british(tmp_path, movie, unit, um):
    metadata = {"axes": "TYX", "unit": unit, "finterval": 20, "tunit": "ms"}
    tifffile.imwrite(tmp_path / "imagej.tif", movie, imagej=True, resolution=(10, 10), metadata=metadata)
    found = read(tmp_path / "imagej.tif")
    assert found.frame_time_s == pytest.approx(0.02)
    assert found.pixel_size_um == (um if um is None else pytest.approx(um))


@pytest.mark.parametrize(
    ("pixels", "unit", "um"),
    [(100_000, "CENTIMETER", 0.1), (127_000, "INCH", 0.2), (1200, "INCH", None), (100_000, "NONE", None)],
)
def test_the_resolution_of_a_plain_tiff_counts_unless_it_is_that_of_a_page(tmp_path, movie, pixels, unit, um):
    resolution = {"resolution": (pixels, pixels), "resolutionunit": unit}
    tifffile.imwrite(tmp_path / "plain.tif", movie, photometric="minisblack", metadata=None, **resolution)
    found = read(tmp_path / "plain.tif")
    assert (found.pixel_size_um, found.row_um) == (2 * (um,) if um is None else pytest.approx((um, um)))


@pytest.mark.parametrize("text", ["unit=5\nspacing=0.3\n", "finterval=abc\n"])
def test_metadata_of_imagej_that_are_no_numbers_are_told_or_passed_over(tmp_path, movie, text):
    description = f"ImageJ=1.54f\nimages={len(movie)}\nframes={len(movie)}\n{text}"
    tifffile.imwrite(tmp_path / "odd.tif", movie, photometric="minisblack", description=description, metadata=None)
    if "abc" in text:
        with pytest.raises(RecordingError, match="odd.tif: metadata: found a size that is no number"):
            read(tmp_path / "odd.tif")
    else:
        assert read(tmp_path / "odd.tif").slice_um is None


def test_a_chunk_that_is_lost_is_no_black_frame(tmp_path, movie):
    write_ome_zarr(tmp_path / "lost.zarr", movie + 1, 3)
    shutil.rmtree(tmp_path / "lost.zarr/0/c/4")
    frames = read(tmp_path / "lost.zarr")
    np.testing.assert_array_equal(frames[3], movie[3] + 1)
    with pytest.raises(RecordingError, match="lost.zarr: frame 4: found 0 everywhere: a chunk that is lost"):
        frames[4]
    assert not read(tmp_path / "lost.zarr", VOLUME)[4].any(), "a volume may be padded"


@pytest.mark.parametrize(
    "change",
    [
        {"axes": [{"name": name} for name in "yx"]},
        {"axes": [{"name": "t"}, {"name": "y"}, {"name": ["x"]}]},
        {"axes": 5},
        {"coordinateTransformations": [{"type": "scale", "scale": [1, 2]}]},
        {"coordinateTransformations": [{"type": "scale", "path": "scale"}], "datasets": [{"path": ""}]},
        {"datasets": [{"path": ""}]},
        {"datasets": []},
    ],
)
def test_odd_attributes_of_a_zarr_are_told(tmp_path, movie, change):
    write_attributes(tmp_path / "odd.zarr", movie, **change)
    with pytest.raises(RecordingError, match="odd.zarr: (file: found no multiscale image|axes: found)"):
        read(tmp_path / "odd.zarr")


@pytest.mark.parametrize("names", ["TYX", ("time", "y", "x")])
def test_axes_of_a_zarr_under_other_names(tmp_path, movie, names):
    write_attributes(tmp_path / "named.zarr", movie, axes=[{"name": name} for name in names])
    np.testing.assert_array_equal(read(tmp_path / "named.zarr")[5], movie[5])


def write_attributes(path, movie, **multiscale):
    usual = {"axes": [{"name": name} for name in "tyx"], "datasets": [{"path": "0"}]}
    group = zarr.create_group(path, zarr_format=3, attributes={"ome": {"multiscales": [{**usual, **multiscale}]}})
    group.create_array("0", data=movie)


def test_numbers_that_are_missing_in_a_folder_are_told(tmp_path, movie):
    write_folder(tmp_path / "folder", movie)
    (tmp_path / "folder/frame5.png").unlink()
    (tmp_path / "folder/frame6.png").unlink()
    with pytest.raises(RecordingError, match="folder: names: found no frame of number 5, 6, expected every frame"):
        read(tmp_path / "folder")


@pytest.mark.parametrize("number", [lambda i: 10 * i, lambda i: i**3 + 20240101, lambda i: f"{i}_of_12"])
def test_numbers_that_count_by_more_or_tell_the_time_are_not_missing(tmp_path, movie, number):
    (tmp_path / "folder").mkdir()
    for i, frame in enumerate(movie):
        imsave(tmp_path / f"folder/frame{number(i)}.png", frame, check_contrast=False)
    assert len(read(tmp_path / "folder")) == len(movie)


def test_a_folder_of_stacks_is_not_called_colours(tmp_path, movie):
    (tmp_path / "stacks").mkdir()
    for i in range(3):
        tifffile.imwrite(tmp_path / f"stacks/{i}.tif", movie)
    with pytest.raises(
        RecordingError, match=r"0.tif: shape: found a stack of shape \(12, 20, 30\), expected one frame"
    ):
        read(tmp_path / "stacks")


@pytest.mark.parametrize(("lead", "what"), [("/dev/zero", "a device or a pipe"), ("nowhere", "nothing there")])
def test_a_name_that_leads_to_no_file_is_told(tmp_path, movie, lead, what):
    (tmp_path / "odd.tif").symlink_to(lead)
    with pytest.raises(RecordingError, match=f"odd.tif: file: found {what}"):
        read(tmp_path / "odd.tif")
    write_attributes(tmp_path / "store.zarr", movie)
    (tmp_path / "store.zarr/more").symlink_to(lead)
    with pytest.raises(
        RecordingError, match="store.zarr/more: file: found a (device or a pipe|link that leads nowhere)"
    ):
        read(tmp_path / "store.zarr")


def test_numbers_too_long_for_any_count_are_names(tmp_path, movie):
    write_folder(tmp_path / "folder", movie)
    (tmp_path / "folder/frame0.png").rename(tmp_path / f"folder/frame{10**30}.png")
    assert len(read(tmp_path / "folder")) == len(movie)


def test_a_tiff_of_a_folder_that_declares_more_than_it_holds_is_refused(tmp_path, movie):
    (tmp_path / "folder").mkdir()
    for i, frame in enumerate(movie):
        tifffile.imwrite(tmp_path / f"folder/{i}.tif", frame, metadata=None)
    with tifffile.TiffFile(tmp_path / "folder/3.tif", mode="r+") as file:
        file.pages[0].tags["ImageLength"].overwrite(2_000_000)
    with pytest.raises(RecordingError, match="3.tif: size: found 120 MB declared by [0-9]+ bytes for a picture"):
        read(tmp_path / "folder")[3]


def test_a_volume_without_most_of_its_chunks_is_refused(tmp_path, movie):
    """It would be even where nothing lies, as a padded one is at its ends, and take any time to read."""
    usual = {"axes": [{"name": name} for name in "zyx"], "datasets": [{"path": "0"}]}
    group = zarr.create_group(tmp_path / "few.zarr", zarr_format=3, attributes={"ome": {"multiscales": [usual]}})
    array = group.create_array("0", shape=(10_000, 20, 30), chunks=(1, 20, 30), dtype="u1", fill_value=0)
    array[:3] = 1
    with pytest.raises(RecordingError, match="few.zarr: file: found 4 files of 10000 chunks, expected a whole store"):
        read(tmp_path / "few.zarr", VOLUME)


def test_chunks_without_a_size_are_refused(tmp_path, movie):
    usual = {"axes": [{"name": name} for name in "tyx"], "datasets": [{"path": "0"}]}
    group = zarr.create_group(tmp_path / "odd.zarr", zarr_format=2, attributes={"multiscales": [usual]})
    group.create_array("0", shape=movie.shape, chunks=(1, *movie.shape[1:]), dtype=movie.dtype)
    about = json.loads((tmp_path / "odd.zarr/0/.zarray").read_text())
    (tmp_path / "odd.zarr/0/.zarray").write_text(json.dumps({**about, "chunks": [0, *movie.shape[1:]]}))
    with pytest.raises(RecordingError, match=r"odd.zarr: chunks: found the shape \(0, .*, expected no side of 0"):
        read(tmp_path / "odd.zarr")


def test_a_tile_that_no_memory_holds_is_refused(tmp_path, movie):
    tifffile.imwrite(tmp_path / "odd.tif", movie, photometric="minisblack", tile=(16, 16))
    with tifffile.TiffFile(tmp_path / "odd.tif", mode="r+") as file:
        file.pages[0].tags["TileLength"].overwrite(2**31)
    with pytest.raises(RecordingError, match="odd.tif: size: found .* MB declared for a tile, expected at most"):
        read(tmp_path / "odd.tif")


@pytest.mark.parametrize("size", [float("nan"), float("inf")])
def test_a_size_that_is_not_finite_is_no_size(tmp_path, movie, size):
    change = {"type": "scale", "scale": [1, size, size]}
    axes = [{"name": name, "unit": "micrometer"} for name in "tyx"]
    levels = [{"path": "0", "coordinateTransformations": [change]}]
    write_attributes(tmp_path / "odd.zarr", movie, axes=axes, datasets=levels)
    with pytest.raises(RecordingError, match=f"odd.zarr: file: found no multiscale image .*{size} micrometer"):
        read(tmp_path / "odd.zarr")
