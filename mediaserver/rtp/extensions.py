"""Header extensions: their numbers in the native core and their URIs. RFC 8285.

The numbers of `Extension` are also those of `native/core.h`.
"""

from enum import IntEnum


class Extension(IntEnum):
    MID = 1
    RID = 2
    REPAIRED_RID = 3
    TRANSPORT_CC = 4
    ABS_SEND_TIME = 5
    AUDIO_LEVEL = 6
    DEPENDENCY_DESCRIPTOR = 7


URIS: dict[Extension, str] = {
    Extension.MID: "urn:ietf:params:rtp-hdrext:sdes:mid",
    Extension.RID: "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    Extension.REPAIRED_RID: "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
    Extension.TRANSPORT_CC: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    Extension.ABS_SEND_TIME: "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    Extension.AUDIO_LEVEL: "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    Extension.DEPENDENCY_DESCRIPTOR: (
        "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
    ),
}
BY_URI: dict[str, Extension] = {uri: extension for extension, uri in URIS.items()}
