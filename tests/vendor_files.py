"""Files in the formats of microscope makers, as small as their readers take them.

They are written byte by byte where there is no writer, after what the readers themselves say of the format: no file of
a microscope is at hand.
"""

import struct
from xml.sax.saxutils import quoteattr

import numpy as np

MAGIC = 0x0ABECEDA  # of every chunk of an ND2
DIM_IDS = {"X": 1, "Y": 2, "Z": 3, "T": 4}  # of a LIF


# ND2, version 2: chunks, most of which hold XML, then a map of them


def variant(name, value):
    """An element of Nikon's XML."""
    if isinstance(value, dict):
        inner = "".join(variant(key, one) for key, one in value.items())
        return f'<{name} runtype="CLxListVariant">{inner}</{name}>'
    if isinstance(value, list):
        inner = "".join(variant("no_name", one) for one in value)
        return f'<{name} runtype="CLxListVariant">{inner}</{name}>'
    kinds = {bool: "bool", int: "lx_uint32", float: "double", str: "CLxStringW"}
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    return f'<{name} runtype="{kinds[type(value)]}" value={quoteattr(shown)}/>'


def loop(axis, n, between_ms, z_step_um, names):
    match axis:
        case "T":
            return 1, {"uiCount": n, "dStart": 0.0, "dPeriod": float(between_ms), "dDuration": 0.0}
        case "P":
            points = [{"dPosX": float(k), "dPosY": 0.0, "dPosZ": 0.0, "dPosName": name} for k, name in enumerate(names)]
            return 2, {"uiCount": n, "bUseZ": False, "Points": points}
        case "Z":
            return 4, {"uiCount": n, "dZStep": z_step_um, "dZLow": 0.0, "dZHigh": z_step_um * (n - 1), "iType": 2}


def write_nd2(path, array, axes="TYX", pixel_um=0.2, between_ms=50, begun_ms=None, z_step_um=0.3, names=(), text=""):
    """An ND2 of one channel, whose times are begun_ms (by default as they were asked for)."""
    *lengths, height, width = array.shape
    frames = np.ascontiguousarray(array).reshape(-1, height, width)
    attributes = {"uiWidth": width, "uiWidthBytes": width * array.itemsize, "uiHeight": height, "uiComp": 1}
    attributes |= {"uiBpcInMemory": 8 * array.itemsize, "uiBpcSignificant": 8 * array.itemsize, "eCompression": 2}
    attributes |= {"uiSequenceCount": len(frames), "uiTileWidth": width, "uiTileHeight": height}
    plane = {"uiCompCount": 1, "uiSampleIndex": 0, "sDescription": "GFP", "pFluorescentProbe": {"m_sName": "GFP"}}
    about = {"bCalibrated": pixel_um is not None, "dCalibration": pixel_um or 0.0, "dTimeAbsolute": 2459486.0}
    about |= {"dTimeMSec": 0.0, "sPicturePlanes": {"uiCount": 1, "sPlaneNew": {"a0": plane}}}
    loops = {}
    for axis, n in reversed(list(zip(axes, lengths))):
        kind, parameters = loop(axis, n, between_ms, z_step_um, names)
        loops = {"eType": kind, "uLoopPars": parameters, "ppNextLevelEx": [loops] if loops else []}
    begun = np.arange(len(frames)) * between_ms if begun_ms is None else begun_ms
    texts = {"ImageAttributes!": attributes, "ImageMetadataSeq|0!": about, "ImageMetadata!": loops}
    texts["ImageTextInfo!"] = {"TextInfoItem_6": text or "no settings"}
    chunks = {f"ImageDataSeq|{k}!": struct.pack("<d", 0) + frame.tobytes() for k, frame in enumerate(frames)}
    chunks["CustomData|AcqTimesCache!"] = np.asarray(begun, float).tobytes()
    for name, content in texts.items():
        chunks[name] = f'<variant version="1.0">{variant("no_name", content)}</variant>'.encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<IIQ32s64s", MAGIC, 32, 64, b"ND2 FILE SIGNATURE CHUNK NAME01!", b"Ver2.1"))
        places = b""
        for name, content in chunks.items():
            places += name.encode() + struct.pack("<QQ", file.tell(), len(content))
            file.write(struct.pack("<IIQ4072s", MAGIC, 4072, len(content), name.encode()) + content)
        places += b"ND2 CHUNK MAP SIGNATURE 0000001!" + struct.pack("<Q", file.tell())
        file.write(struct.pack("<IIQ32s", MAGIC, 32, len(places), b"ND2 FILEMAP SIGNATURE NAME 0001!") + places)


# LIF, version 2: XML, then the blocks of memory that it names


def write_lif(path, images, pixel_um=0.2, between_s=0.05, z_step_um=0.3, begun_ms=None):
    """A LIF of images of one channel: {name: (array, axes)}."""
    elements, blocks = "", b""
    for k, (name, (array, axes)) in enumerate(images.items()):
        steps = {"X": pixel_um * 1e-6, "Y": pixel_um * 1e-6, "Z": z_step_um * 1e-6, "T": between_s}
        sides = ""
        for axis, n, stride in zip(axes, array.shape, array.strides):
            unit, length = "s" if axis == "T" else "m", steps[axis] * (n - 1)
            sides += f'<DimensionDescription DimID="{DIM_IDS[axis]}" NumberOfElements="{n}" Origin="0" '
            sides += f'Length="{length}" Unit="{unit}" BitInc="0" BytesInc="{stride}"/>'
        channel = f'<ChannelDescription DataType="0" ChannelTag="0" Resolution="{8 * array.itemsize}" Min="0" Max="1" '
        channel += 'NameOfMeasuredQuantity="" Unit="" LUTName="Gray" IsLUTInverted="0" BytesInc="0" BitInc="0"/>'
        described = f"<Channels>{channel}</Channels><Dimensions>{sides}</Dimensions>"
        elements += f'<Element Name={quoteattr(name)} UniqueID="{k}"><Data><Image><ImageDescription>{described}'
        ticks = () if begun_ms is None else (f"{int(ms) * 10_000 + 116_444_736_000_000_000:x}" for ms in begun_ms)
        stamps = "" if begun_ms is None else f"<TimeStampList>{' '.join(ticks)}</TimeStampList>"
        elements += f"</ImageDescription>{stamps}</Image></Data>"
        elements += f'<Memory Size="{array.nbytes}" MemoryBlockID="MemBlock_{k}"/></Element>'
        called = f"MemBlock_{k}".encode("utf-16-le")
        head = struct.pack("<BQBI", 0x2A, array.nbytes, 0x2A, len(called) // 2) + called
        blocks += struct.pack("<II", 0x70, len(head)) + head + array.tobytes()
    text = f'<LMSDataContainerHeader Version="2"><Element Name="all"><Children>{elements}</Children></Element>'
    text = f"{text}</LMSDataContainerHeader>".encode("utf-16-le")
    path.write_bytes(struct.pack("<IIBI", 0x70, len(text) + 5, 0x2A, len(text) // 2) + text + blocks)


# CZI, by Zeiss's own library


def write_czi(path, scenes, axes="TYX", pixel_um=0.2, z_step_um=0.3):
    """A CZI of scenes side by side, arrays of one channel."""
    from pylibCZIrw import czi

    with czi.create_czi(str(path)) as file:
        for number, array in enumerate(scenes):
            for at in np.ndindex(array.shape[:-2]):
                place, plane = (number * 2 * array.shape[-1], 0), dict(zip(axes, at))
                file.write(array[at], place, {axis: int(i) for axis, i in plane.items()}, scene=number)
        file.write_metadata("film", {0: "GFP"}, pixel_um * 1e-6, pixel_um * 1e-6, z_step_um * 1e-6)
