"""Movies and volumes in HDF5 files: the array that is named, its axes, its voxels, and what is refused."""

import gc
import json

import h5py
import numpy as np
import pytest
import tifffile
from films import CALIBRATION
from recorded_volumes import RECORDING

from blurbench.colloids import recorded
from blurbench.diffusion.movie import frames_of, open_movie
from blurbench.microscopy.frames import MOVIE, VOLUME, read
from blurbench.microscopy.recording_error import RecordingError

NAME = "/exchange/data"
CHUNKS = {"chunks": (2, 10, 15), "compression": 1}


@pytest.fixture
def movie():
    return np.random.default_rng(0).integers(1, 4000, (12, 20, 30)).astype(np.uint16)


def write(path, array, name=NAME, labels=(), axistags=None, attributes=(), **options):
    with h5py.File(path, "w") as file:
        found = file.create_dataset(name, data=array, **options)
        found.attrs.update(attributes)
        for axis, label in zip(found.dims, labels):
            axis.label = label
        if axistags:
            found.attrs["axistags"] = json.dumps({"axes": [{"key": key, "resolution": 0} for key in axistags]})
    return path


@pytest.mark.parametrize("options", [{}, CHUNKS])
@pytest.mark.parametrize(("kind", "suffix"), [(MOVIE, "h5"), (VOLUME, "mat")])
def test_an_array_is_read_frame_by_frame(tmp_path, movie, kind, suffix, options):
    found = read(write(tmp_path / f"film.{suffix}", movie, **options), kind, array=NAME)
    assert found.shape == movie.shape and found.dtype == np.uint16
    np.testing.assert_array_equal([found[i] for i in range(len(found))], movie)
    assert (found.pixel_size_um, found.slice_um, found.frame_time_s, found.exposure_s) == (None, None, None, None)


@pytest.mark.parametrize(
    ("shape", "named"),
    [
        ((12, 20, 30), {"labels": ("time", "y", "x")}),
        ((12, 20, 30), {"labels": ("frame", "row", "column")}),  # which are the last two
        ((12, 20, 30, 1), {}),
        ((1, 12, 1, 20, 30), {}),
        ((12, 1, 20, 30, 1), {"axistags": "tzyxc"}),
    ],
)
def test_axes_are_those_that_are_named_or_the_last_of_more_than_a_pixel(tmp_path, movie, shape, named):
    found = read(write(tmp_path / "film.h5", movie.reshape(shape), **named), array=NAME)
    np.testing.assert_array_equal([found[i] for i in range(len(found))], movie)


def test_volumes_over_time_are_read_one_by_one_where_axes_are_named(tmp_path, movie):
    volumes = movie.reshape(3, 4, 20, 30)
    write(tmp_path / "named.h5", volumes, axistags="tzyx")
    for point, volume in enumerate(volumes):
        found = read(tmp_path / "named.h5", VOLUME, point=point, array=NAME)
        assert found.points == 3
        np.testing.assert_array_equal([found[i] for i in range(4)], volume)
    write(tmp_path / "plain.h5", volumes)
    with pytest.raises(
        RecordingError, match="plain.h5: axes: found several long axes .q: 3, q: 4.,.*axes named t and z"
    ):
        read(tmp_path / "plain.h5", VOLUME, point=0, array=NAME)


@pytest.mark.parametrize(
    ("tags", "message"),
    [("zxy", "found 'ZXY', expected y before x"), ("tzyx", "found 'TZYX' of an array"), ("abc", "axes y and x")],
)
def test_axes_that_cannot_be_are_refused(tmp_path, movie, tags, message):
    with pytest.raises(RecordingError, match=f"film.h5: axes: .*{message}"):
        read(write(tmp_path / "film.h5", movie, axistags=tags), array=NAME)


def test_voxels_that_are_others_in_the_file_are_refused(tmp_path, movie):
    """`element_size_um` is z, y, x, as ImageJ has it."""
    sizes = {"element_size_um": np.array([0.25, 0.1, 0.125])}
    path = str(write(tmp_path / "volume.h5", movie, attributes=sizes))
    found = read(path, VOLUME, array=NAME)
    assert (found.slice_um, found.row_um, found.pixel_size_um) == (0.25, 0.1, 0.125)
    entry = {**RECORDING, "file": path, "array": NAME}
    assert [volume.shape for volume in recorded.listed(entry)] == [movie.shape]
    wrong = {**entry, "voxel_um": [0.25, 0.1, 0.2]}
    with pytest.raises(RecordingError, match="voxel_um: found 0.2 in the configuration, expected 0.125 as in the file"):
        recorded.listed(wrong)
    assert recorded.listed({**wrong, "calibration": "mine"})


def test_pixels_of_a_movie_that_are_others_in_the_file_are_refused(tmp_path, movie):
    """As ImSwitch writes them, 1 before those of y and x."""
    path = str(write(tmp_path / "film.hdf5", movie, "Camera", attributes={"element_size_um": [1, 0.11, 0.11]}))
    entry = {**CALIBRATION, "file": path, "array": "Camera", "polarity": "bright", "tracking": {"diameter_px": 7}}
    with pytest.raises(RecordingError, match="pixel_size_um: found 0.2 in the configuration, expected 0.11 as in the"):
        open_movie(entry)
    assert len(open_movie({**entry, "pixel_size_um": 0.11})) == 12


@pytest.mark.parametrize("sizes", [[0.1, 0.1], "small", [np.nan, 0.1, 0.1]])
def test_sizes_that_are_none_are_told(tmp_path, movie, sizes):
    with pytest.raises(RecordingError, match="film.h5: array /exchange/data: found nothing that can be read"):
        read(write(tmp_path / "film.h5", movie, attributes={"element_size_um": sizes}), array=NAME)


def test_which_array_has_to_be_stated(tmp_path, movie):
    write(tmp_path / "film.h5", movie)
    held = r"the file holds /exchange/data \(12, 20, 30\)"
    with pytest.raises(RecordingError, match=rf"film.h5: array: found no path .* expected the path of one .*; {held}"):
        read(tmp_path / "film.h5")
    for name, found in (("/exchange/date", "nothing"), ("/exchange", "a group"), ("/exchange/data/0", "nothing")):
        with pytest.raises(RecordingError, match=rf"film.h5: array {name}: found {found}, expected an array; {held}"):
            read(tmp_path / "film.h5", array=name)


def test_a_file_that_is_no_hdf5_has_no_array(tmp_path, movie):
    tifffile.imwrite(tmp_path / "film.tif", movie)
    (tmp_path / "film.h5").write_bytes(b"no HDF5")
    with pytest.raises(RecordingError, match="film.tif: array: found '/data', expected no such key"):
        read(tmp_path / "film.tif", array="/data")
    with pytest.raises(RecordingError, match="film.h5: file: found no HDF5 that can be read"):
        read(tmp_path / "film.h5", array="/data")


def elsewhere(path, movie, how):
    other = write(path.with_name("other.h5"), movie)
    with h5py.File(path, "w") as file:
        match how:
            case "link":
                file["data"] = h5py.ExternalLink(str(other), NAME)
            case "link on the way":
                file["all"] = h5py.ExternalLink(str(other), "/exchange")
                file["data"] = h5py.SoftLink("/all/data")
            case "virtual":
                layout = h5py.VirtualLayout(movie.shape, movie.dtype)
                layout[...] = h5py.VirtualSource(str(other), NAME, shape=movie.shape)
                file.create_virtual_dataset("data", layout)
            case "external":
                movie.tofile(path.with_name("other.raw"))
                where = [(str(path.with_name("other.raw")), 0, h5py.h5f.UNLIMITED)]
                file.create_dataset("data", movie.shape, movie.dtype, external=where)


@pytest.mark.parametrize("how", ["link", "link on the way", "virtual", "external"])
def test_an_array_that_lies_in_another_file_is_refused(tmp_path, movie, how):
    elsewhere(tmp_path / "film.h5", movie, how)
    with pytest.raises(RecordingError, match="film.h5: array data: found an array that lies in another file"):
        read(tmp_path / "film.h5", array="data")


def test_links_within_the_file_are_followed(tmp_path, movie):
    with h5py.File(write(tmp_path / "film.h5", movie), "r+") as file:
        file["entry/data"] = h5py.SoftLink("../../exchange/data")  # HDF5 knows no "..", it is a name
        file["entry/signal"] = h5py.SoftLink("/all/./data")
        file["all"] = h5py.SoftLink("exchange")
        file["circle"] = h5py.SoftLink("/circle")
    np.testing.assert_array_equal(read(tmp_path / "film.h5", array="entry/signal")[3], movie[3])
    with pytest.raises(RecordingError, match="entry/data: found nothing"):
        read(tmp_path / "film.h5", array="entry/data")
    with pytest.raises(RecordingError, match="circle: found links in a circle"):
        read(tmp_path / "film.h5", array="circle")


@pytest.mark.parametrize(("kind", "what"), [(MOVIE, "movie's frame"), (VOLUME, "volume")])
def test_a_size_that_no_memory_holds_is_refused(tmp_path, kind, what):
    with h5py.File(tmp_path / "vast.h5", "w") as file:
        file.create_dataset("data", (1000, 10**6, 10**6), "u2")
        file.create_dataset("layer", (4000, 1000, 1000), "u2", chunks=(4000, 10, 10))
        file.create_dataset("pieces", (4, 1000, 1000), "u2", chunks=(1, 1, 1))
    with pytest.raises(RecordingError, match=f"vast.h5: size: found .* MB declared for a {what}, expected at most"):
        read(tmp_path / "vast.h5", kind, array="data")
    with pytest.raises(RecordingError, match="vast.h5: size: found 8000 MB declared for a (frame|slice) with what is"):
        read(tmp_path / "vast.h5", kind, array="layer")
    with pytest.raises(RecordingError, match="vast.h5: chunks: found 1000000 in one (frame|slice), expected at most"):
        read(tmp_path / "vast.h5", kind, array="pieces")


def test_a_frame_that_was_never_written_is_no_black_frame(tmp_path, movie):
    """As a recording that was stopped early leaves them."""
    with h5py.File(tmp_path / "film.h5", "w") as file:
        file.create_dataset("data", movie.shape, movie.dtype, chunks=(1, 20, 30))[:5] = movie[:5]
    frames = read(tmp_path / "film.h5", array="data")
    np.testing.assert_array_equal(frames[4], movie[4])
    with pytest.raises(RecordingError, match="film.h5: frame 5: found 0 everywhere: a chunk that is lost"):
        frames[5]


NO_IMAGES = [np.float32(1), np.array(["a"], "S1"), h5py.Empty("f4"), np.zeros((3, 4, 5), complex)]


@pytest.mark.parametrize("array", NO_IMAGES)
def test_what_is_no_image_is_refused(tmp_path, array):
    with pytest.raises(RecordingError, match="film.h5: (axes|pixel type|array data): found"):
        read(write(tmp_path / "film.h5", array, "data"), array="data")


def test_a_movie_that_is_let_go_closes_its_file(tmp_path, movie):
    path = write(tmp_path / "film.h5", movie)
    read(path, array=NAME)
    gc.collect()
    with h5py.File(path, "r+"):  # which HDF5 refuses while it is open for reading
        pass


def test_stacks_of_a_molecule_each_may_be_hdf5(tmp_path, movie):
    (tmp_path / "stacks").mkdir()
    for k in range(2):
        write(tmp_path / f"stacks/{k}.h5", movie)
    entry = {"file": str(tmp_path / "stacks"), "stacks": True, "array": NAME, "tracking": {"subtract_drift": False}}
    assert frames_of(entry).names == ("0.h5", "1.h5")
