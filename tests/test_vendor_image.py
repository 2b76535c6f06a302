"""Recordings in the formats of microscope makers.

No file of a microscope is at hand. The ND2 and LIF here are written byte by byte, after what the libraries that read
them say of the format, and the CZI by Zeiss's own library; times and exposures of a CZI, which that does not write, are
tried on its metadata alone.
"""

import gc
import importlib

import numpy as np
import pytest
import vendor_files
from films import CALIBRATION
from recorded_volumes import RECORDING

from blurbench.colloids import recorded
from blurbench.diffusion.movie import open_movie
from blurbench.microscopy import vendor_image
from blurbench.microscopy.frames import VOLUME, read
from blurbench.microscopy.metadata import Stated
from blurbench.microscopy.recording_error import RecordingError


def needs(suffix):
    """Mark of a test that opens such a file."""
    name = vendor_image.FORMATS[suffix][0].split(".")[0]
    missing = importlib.util.find_spec(name) is None
    return pytest.mark.skipif(missing, reason=f"no {name}: {vendor_image.INSTALL}")


nd2, lif, czi = (needs(suffix) for suffix in (".nd2", ".lif", ".czi"))


@pytest.fixture
def movie():
    return np.random.default_rng(0).integers(1, 4000, (12, 20, 30)).astype(np.uint16)


WRITERS = {
    ".nd2": vendor_files.write_nd2,
    ".lif": lambda path, array, axes: vendor_files.write_lif(path, {"one": (array, axes)}),
    ".czi": lambda path, array, axes: vendor_files.write_czi(path, [array], axes),
}
FORMATS = [pytest.param(suffix, marks=needs(suffix)) for suffix in WRITERS]


def pixels(frames):
    return np.array([frames[i] for i in range(len(frames))])


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_movie_is_read_frame_by_frame(tmp_path, movie, suffix):
    WRITERS[suffix](tmp_path / f"film{suffix}", movie, "TYX")
    found = read(tmp_path / f"film{suffix}")
    assert found.shape == movie.shape and found.dtype == np.uint16
    np.testing.assert_array_equal(pixels(found), movie)
    expected = (0.2, 0.2, None if suffix == ".czi" else 0.05)
    assert (found.pixel_size_um, found.row_um, found.frame_time_s) == pytest.approx(expected)


@pytest.mark.parametrize("suffix", FORMATS)
def test_volumes_over_time_are_read_one_by_one(tmp_path, movie, suffix):
    volumes = movie.astype(np.uint8).reshape(3, 4, 20, 30)
    path = tmp_path / f"film{suffix}"
    WRITERS[suffix](path, volumes, "TZYX")
    for point, volume in enumerate(volumes):
        found = read(path, VOLUME, point=point)
        assert found.points == 3 and found.slice_um == pytest.approx(0.3)
        np.testing.assert_array_equal(pixels(found), volume)
    entry = {**RECORDING, "file": str(path), "voxel_um": [0.3, 0.2, 0.2]}
    assert len(recorded.listed(entry)) == 3
    with pytest.raises(RecordingError, match="voxel_um: found 0.4 in the configuration, expected 0.3 as in the file"):
        recorded.listed({**entry, "voxel_um": [0.4, 0.2, 0.2]})


def several(path, movie):
    """Two images in a file: stage positions, images or scenes."""
    both = np.stack([movie, movie[::-1]])
    match path.suffix:
        case ".nd2":
            vendor_files.write_nd2(path, np.ascontiguousarray(both.swapaxes(0, 1)), "TPYX", names=["left", "right"])
        case ".lif":
            vendor_files.write_lif(path, {"left": (movie, "TYX"), "right": (movie[::-1].copy(), "TYX")})
        case ".czi":
            vendor_files.write_czi(path, both)


@pytest.mark.parametrize("suffix", FORMATS)
def test_of_several_images_one_is_chosen(tmp_path, movie, suffix):
    path = tmp_path / f"film{suffix}"
    several(path, movie)
    with pytest.raises(RecordingError, match="series: found 2 images, expected the number or the name of one"):
        read(path)
    name = "1" if suffix == ".czi" else "right"
    for series in (1, name):
        np.testing.assert_array_equal(pixels(read(path, series=series)), movie[::-1])
    with pytest.raises(RecordingError, match="series: found 'middle'"):
        read(path, series="middle")


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_damaged_file_is_told(tmp_path, movie, suffix):
    path = tmp_path / f"film{suffix}"
    WRITERS[suffix](path, movie, "TYX")
    content = path.read_bytes()
    for damaged in (b"", b"no image at all", content[: len(content) // 2]):
        path.write_bytes(damaged)
        with pytest.raises(RecordingError, match=f"film{suffix}: "):
            pixels(read(path))


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_movie_that_is_let_go_closes_its_file(tmp_path, movie, suffix, recwarn):
    WRITERS[suffix](tmp_path / f"film{suffix}", movie, "TYX")
    frame = read(tmp_path / f"film{suffix}")[5]
    gc.collect()
    np.testing.assert_array_equal(frame, movie[5])
    assert not [w for w in recwarn if issubclass(w.category, ResourceWarning) or "not closed" in str(w.message)]


@pytest.mark.parametrize(("suffix", "library"), [(suffix, "no_such_library") for suffix in vendor_image.FORMATS])
def test_without_the_library_the_extra_is_told(tmp_path, monkeypatch, suffix, library):
    monkeypatch.setitem(vendor_image.FORMATS, suffix, (library, vendor_image.FORMATS[suffix][1]))
    (tmp_path / f"film{suffix}").touch()
    message = (
        rf"film{suffix}: file: found a {suffix} file, and no {library} .*this library \(pip install '\.\[readers\]'"
    )
    with pytest.raises(RecordingError, match=message):
        read(tmp_path / f"film{suffix}")


@nd2
def test_times_of_an_nd2_are_those_of_its_frames_before_the_period_that_was_asked_for(tmp_path, movie):
    text = "Flash4.0\r\nSample 1:\r\n  Exposure: 20 ms\r\n"
    vendor_files.write_nd2(tmp_path / "film.nd2", movie, begun_ms=62.5 * np.arange(12), text=text)
    found = read(tmp_path / "film.nd2")
    assert (found.frame_time_s, found.exposure_s) == pytest.approx((0.0625, 0.02))
    assert found.about == {"channel": "GFP"}
    entry = {**CALIBRATION, "file": str(tmp_path / "film.nd2"), "frame_time_s": 0.05, "exposure_s": 0.02}
    entry |= {"polarity": "bright", "tracking": {"diameter_px": 7}}
    with pytest.raises(
        RecordingError, match="frame_time_s: found 0.05 in the configuration, expected 0.0625 as in the"
    ):
        open_movie(entry)
    vendor_files.write_nd2(tmp_path / "plain.nd2", movie, begun_ms=np.zeros(12), pixel_um=None)
    found = read(tmp_path / "plain.nd2")
    assert (found.frame_time_s, found.pixel_size_um, found.exposure_s) == (0.05, None, None)
    content = (tmp_path / "plain.nd2").read_bytes()
    (tmp_path / "silent.nd2").write_bytes(content.replace(b"AcqTimesCache", b"NoTimesAtAllX"))
    assert read(tmp_path / "silent.nd2").frame_time_s == 0.05


@nd2
def test_frames_that_an_nd2_promises_and_lacks_are_refused(tmp_path, movie):
    vendor_files.write_nd2(tmp_path / "film.nd2", movie)
    content = (tmp_path / "film.nd2").read_bytes()
    short = content.replace(
        b'uiSequenceCount runtype="lx_uint32" value="12"', b'uiSequenceCount runtype="lx_uint32" value="07"'
    )
    (tmp_path / "short.nd2").write_bytes(short)
    with pytest.raises(RecordingError, match="short.nd2: planes: found 7, expected 12, as its metadata say"):
        read(tmp_path / "short.nd2")
    (tmp_path / "lost.nd2").write_bytes(content.replace(b"ImageDataSeq|5!", b"AnotherThing|5!"))
    with pytest.raises(RecordingError, match="lost.nd2: frame 5: found 0 everywhere"):
        pixels(read(tmp_path / "lost.nd2"))


def test_metadata_of_a_czi():
    """As the schema of CZI has them; the library that writes a file for these tests writes sizes alone."""
    channel = '<Channel Name="AF488"><ExposureTime>20000000</ExposureTime></Channel>'
    times = "<T><Positions><Interval><Start>0</Start><Increment>0.05</Increment></Interval></Positions></T>"
    sizes = "".join(
        f'<Distance Id="{axis}"><Value>{value}</Value></Distance>' for axis, value in zip("XYZ", (2e-7, 2.1e-7, 3e-7))
    )
    image = f"<Image><Dimensions><Channels>{channel}</Channels>{times}</Dimensions></Image>"
    text = f"<Metadata><Information>{image}</Information><Scaling><Items>{sizes}</Items></Scaling></Metadata>"
    stated, about = vendor_image._of_czi(f"<ImageDocument>{text}</ImageDocument>")
    assert stated == pytest.approx(Stated(0.2, 0.05, 0.3, 0.21, 0.02)) and about == {"channel": "AF488"}
    assert vendor_image._of_czi("<ImageDocument/>") == (Stated(), {}) == vendor_image._of_czi("")


@czi
def test_colours_are_refused(tmp_path, movie):
    from pylibCZIrw import czi as writer

    with writer.create_czi(str(tmp_path / "film.czi")) as file:
        for t in range(3):
            file.write(np.stack([movie[t]] * 3, axis=-1).astype(np.uint8), plane={"T": t})
    with pytest.raises(RecordingError, match="film.czi: channels: found 3 channels"):
        read(tmp_path / "film.czi")


@lif
def test_a_size_that_a_lif_does_not_hold_is_refused(tmp_path, movie):
    vendor_files.write_lif(tmp_path / "film.lif", {"one": (movie, "TYX")})
    content = (tmp_path / "film.lif").read_bytes()
    longer = content.replace('NumberOfElements="12"'.encode("utf-16-le"), 'NumberOfElements="99"'.encode("utf-16-le"))
    (tmp_path / "film.lif").write_bytes(longer)
    with pytest.raises(RecordingError, match="film.lif: frame 0: found nothing that can be read .array size="):
        pixels(read(tmp_path / "film.lif"))


@lif
def test_times_of_a_lif_are_those_of_its_frames_before_their_mean(tmp_path, movie):
    vendor_files.write_lif(tmp_path / "film.lif", {"one": (movie, "TYX")}, begun_ms=33 * np.arange(12) + 100)
    assert read(tmp_path / "film.lif").frame_time_s == pytest.approx(0.033)
