"""OME-TIFF whose metadata promise what the file does not hold, or say of time and place what must be used."""

import numpy as np
import pytest
import tifffile

from blurbench.microscopy.frames import VOLUME, read
from blurbench.microscopy.recording_error import RecordingError

N = 12
ID = "urn:uuid:01234567-89ab-cdef-0123-456789abcdef"
OTHER = "urn:uuid:01234567-89ab-cdef-0123-456789abcde0"


@pytest.fixture
def movie():
    return np.random.default_rng(0).integers(1, 4000, (N, 20, 30)).astype(np.uint16)


def image(frames=N, about="", within="<TiffData/>", name="movie", number=0):
    sizes = f'SizeX="30" SizeY="20" SizeZ="1" SizeC="1" SizeT="{frames}"'
    pixels = f'ID="Pixels:{number}" DimensionOrder="XYZCT" Type="uint16" {sizes} {about}'
    return f'<Image ID="Image:{number}" Name="{name}"><Pixels {pixels}>{within}</Pixels></Image>'


def write(path, pages, *images, text=None):
    schema = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
    text = text or f'<?xml version="1.0"?><OME xmlns="{schema}" UUID="{ID}">{"".join(images)}</OME>'
    with tifffile.TiffWriter(path) as file:  # a page each, as from a microscope
        for number, page in enumerate(pages):
            about = text if number == 0 else None
            file.write(page, photometric="minisblack", description=about, metadata=None, contiguous=False)
    return path


def test_as_many_frames_as_are_promised_are_read(tmp_path, movie):
    found = read(write(tmp_path / "whole.ome.tif", movie, image()))
    np.testing.assert_array_equal([found[i] for i in range(N)], movie)
    assert found.frame_time_s is None and found.exposure_s is None


@pytest.mark.parametrize("promised", [N + 1, 100, 10**9])
def test_fewer_planes_than_promised_are_refused(tmp_path, movie, promised):
    """Before memory for them is asked for: tifffile makes a list of them."""
    path = write(tmp_path / "stopped.ome.tif", movie, image(promised))
    with pytest.raises(
        RecordingError, match=f"stopped.ome.tif: planes: found 12, expected {promised}, as its OME meta"
    ):
        read(path)


def halves():
    data = '<TiffData FirstT="{}" PlaneCount="6"><UUID FileName="{}">{}</UUID></TiffData>'
    return data.format(0, "first.ome.tif", ID) + data.format(6, "second.ome.tif", OTHER)


def test_a_file_that_is_lost_is_named(tmp_path, movie):
    path = write(tmp_path / "first.ome.tif", movie[:6], image(within=halves()))
    with pytest.raises(RecordingError, match="first.ome.tif: file: found no second.ome.tif beside it"):
        read(path)
    write(tmp_path / "second.ome.tif", movie[6:], image(within=halves()))
    second = (tmp_path / "second.ome.tif").read_bytes().replace(ID.encode(), OTHER.encode(), 1)  # its own name
    (tmp_path / "second.ome.tif").write_bytes(second)
    found = read(path)
    np.testing.assert_array_equal([found[i] for i in range(N)], movie)


def test_a_file_under_another_name_is_still_the_first(tmp_path, movie):
    data = f'<TiffData FirstT="0" PlaneCount="12"><UUID FileName="old.ome.tif">{ID}</UUID></TiffData>'
    found = read(write(tmp_path / "new.ome.tif", movie, image(within=data)))
    np.testing.assert_array_equal([found[i] for i in range(N)], movie)


def test_of_several_positions_one_is_chosen(tmp_path, movie):
    within = '<TiffData IFD="{}" PlaneCount="6"/>'
    two = [image(6, f'PhysicalSizeX="0.{k + 1}"', within.format(6 * k), f"position {k}", k) for k in (0, 1)]
    path = write(tmp_path / "two.ome.tif", movie, *two)
    with pytest.raises(RecordingError, match=r"series: found 2 images, expected .* 0 \(position 0, .*1 \(position 1, "):
        read(path)
    for series in (1, "position 1"):
        found = read(path, series=series)
        np.testing.assert_array_equal([found[i] for i in range(6)], movie[6:])
        assert found.pixel_size_um == 0.2
    with pytest.raises(RecordingError, match="series: found 2, expected"):
        read(path, series=2)
    with pytest.raises(RecordingError, match="series: found 'position', expected"):
        read(path, series="position")


def planes(begun, exposure, unit="ms"):
    times = [f'DeltaT="{t}" DeltaTUnit="{unit}" ExposureTime="{exposure}" ExposureTimeUnit="{unit}"' for t in begun]
    return "<TiffData/>" + "".join(f'<Plane TheZ="0" TheC="0" TheT="{i}" {one}/>' for i, one in enumerate(times))


def test_times_of_planes_count_before_what_was_asked_for(tmp_path, movie):
    """A camera that is asked for 10 ms and takes 12.5."""
    within = planes(100 + 12.5 * np.arange(N), 8)
    path = write(tmp_path / "times.ome.tif", movie, image(about='TimeIncrement="0.01"', within=within))
    found = read(path)
    assert (found.frame_time_s, found.exposure_s) == pytest.approx((0.0125, 0.008))


@pytest.mark.parametrize("within", [planes([0] * N, 0), planes(["now"] * N, "short"), planes(range(N), 1, "reference")])
def test_times_that_say_nothing_are_passed_over(tmp_path, movie, within):
    path = write(tmp_path / "times.ome.tif", movie, image(about='TimeIncrement="0.01"', within=within))
    assert (read(path).frame_time_s, read(path).exposure_s) == (0.01, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<OME><Image></OME>", "OME metadata: found XML that cannot be read"),
        (None, "metadata: found a size that is no number"),
    ],
)
def test_metadata_that_are_none_are_told(tmp_path, movie, text, message):
    schema = '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
    text = text and schema + text.removeprefix("<OME>")
    with pytest.raises(RecordingError, match=f"odd.ome.tif: {message}"):
        read(write(tmp_path / "odd.ome.tif", movie, image(about='PhysicalSizeX="abc"'), text=text))


def test_a_file_whose_metadata_are_in_another_is_a_plain_stack(tmp_path, movie):
    text = '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">{}</OME>'
    elsewhere = text.format(f'<BinaryOnly MetadataFile="movie.companion.ome" UUID="{ID}"/>')
    for about in (elsewhere, text.format("")):
        found = read(write(tmp_path / "binary.ome.tif", movie, text=about))
        np.testing.assert_array_equal([found[i] for i in range(N)], movie)
        assert found.pixel_size_um is None


def test_a_volume_is_judged_likewise(tmp_path, movie):
    text = image(1).replace('SizeZ="1"', 'SizeZ="40"')
    with pytest.raises(RecordingError, match="planes: found 12, expected 40"):
        read(write(tmp_path / "volume.ome.tif", movie, text), VOLUME)
