"""Encoded frames as RTMP and FLV files carry them: the bodies of tags for H.264 and AAC. Pure.

A picture goes out as units behind their lengths, without the parameter sets of its key frames, which go ahead of it in
a header of their own. Adobe's Flash Video specification 10.1, annex E.4.
"""

from mediaserver.egress import amf
from mediaserver.media.headers import AAC_CONFIG, Size
from mediaserver.media.packetize import nal_units

KEY_PICTURE, PICTURE = 0x17, 0x27  # and the codec: AVC
SOUND = 0xAF  # AAC; 44 kHz, 16 bits and stereo are said of all of it
CONFIG, FRAME = 0, 1
_PARAMETER_SETS = frozenset({7, 8, 9})  # and delimiters


def picture_config(record: bytes) -> bytes:
    """`record`: AVCDecoderConfigurationRecord, `headers.codec_private` of a key frame."""
    return bytes([KEY_PICTURE, CONFIG, 0, 0, 0]) + record


def picture(data: bytes, *, key: bool) -> bytes:
    """Of a frame in Annex B; it is shown when it is decoded."""
    units = (unit for unit in nal_units(data) if unit[0] & 0x1F not in _PARAMETER_SETS)
    coded = b"".join(len(unit).to_bytes(4) + unit for unit in units)
    return bytes([KEY_PICTURE if key else PICTURE, FRAME, 0, 0, 0]) + coded


def sound_config() -> bytes:
    return bytes([SOUND, CONFIG]) + AAC_CONFIG


def sound(data: bytes) -> bytes:
    """Of a raw frame of AAC."""
    return bytes([SOUND, FRAME]) + data


def metadata(size: Size, fps: int) -> bytes:
    """What a server and its players are told ahead of everything."""
    width, height = size
    told = {
        "width": width,
        "height": height,
        "framerate": fps,
        "videocodecid": 7,
        "audiocodecid": 10,
        "audiosamplerate": 48000,
        "audiosamplesize": 16,
        "stereo": True,
        "encoder": "Folkmoot",
    }
    return amf.write("@setDataFrame", "onMetaData") + amf.array(told)
