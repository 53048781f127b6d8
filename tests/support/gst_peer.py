"""GStreamer's webrtcbin as an encoder (WHIP) and a player (WHEP): a program of its own for the system's Python.

    python3 gst_peer.py publish URL TOKEN     shows a plain colour and sounds a tone until its input ends
    python3 gst_peer.py play URL TOKEN        tells what it sees and hears: a line of JSON for each picture and sound

Needs Debian's gir1.2-gst-plugins-bad-1.0, gstreamer1.0-nice, -plugins-base, -plugins-good and -plugins-bad.
"""

import array
import json
import math
import sys
import threading
import urllib.request
from itertools import pairwise

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

COLOUR = 0xFFD22828  # alpha, red, green, blue
TONE_HZ = 330
RATE_HZ = 48000

SEND = f"""
webrtcbin name=peer bundle-policy=max-bundle
videotestsrc is-live=true pattern=solid-color foreground-color={COLOUR}
  ! video/x-raw,width=320,height=180,framerate=15/1 ! videoconvert
  ! vp8enc deadline=1 keyframe-max-dist=30 target-bitrate=300000 ! rtpvp8pay pt=96
  ! application/x-rtp,media=video,encoding-name=VP8,payload=96 ! peer.
audiotestsrc is-live=true freq={TONE_HZ} volume=0.4 ! audio/x-raw,rate={RATE_HZ} ! opusenc ! rtpopuspay pt=97
  ! application/x-rtp,media=audio,encoding-name=OPUS,payload=97 ! peer.
"""
CAPS = {
    "video": "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000,rtcp-fb-nack-pli=true",
    "audio": "application/x-rtp,media=audio,encoding-name=OPUS,payload=97,clock-rate=48000",
}
SINKS = {
    "video": "videoconvert ! video/x-raw,format=RGB ! appsink name=sink emit-signals=true sync=false",
    "audio": "audioconvert ! audioresample ! audio/x-raw,format=S16LE,channels=1,rate=48000 "
    "! appsink name=sink emit-signals=true sync=false",
}


def tell(**fields):
    print(json.dumps(fields), flush=True)


class Session:
    """One webrtcbin and what its endpoint has said."""

    def __init__(self, pipeline, url, token):
        self.pipeline = pipeline
        self.peer = pipeline.get_by_name("peer")
        self.url, self.headers = url, {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
        self.location = None
        self.peer.connect(
            "notify::connection-state", lambda *_: tell(state=self.peer.props.connection_state.value_nick)
        )

    def offer(self):
        self.peer.emit("create-offer", None, Gst.Promise.new_with_change_func(self._offered, None))

    def end(self):
        if self.location:
            request = urllib.request.Request(self.location, method="DELETE", headers=self.headers)
            with urllib.request.urlopen(request, timeout=10) as response:
                tell(ended=response.status)
        self.pipeline.set_state(Gst.State.NULL)

    def _offered(self, promise, _):
        reply = promise.get_reply()  # it owns the offer
        offer = reply.get_value("offer")
        body = offer.sdp.as_text().encode()
        self.peer.emit("set-local-description", offer, Gst.Promise.new())
        request = urllib.request.Request(self.url, body, self.headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                answer = response.read().decode()
                self.location = urllib.request.urljoin(self.url, response.headers["Location"])
        except urllib.request.HTTPError as error:
            tell(refused=error.code, why=error.read().decode())
            return
        _, sdp = GstSdp.SDPMessage.new_from_text(answer)
        described = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        self.peer.emit("set-remote-description", described, Gst.Promise.new())


def publish(url, token):
    session = Session(Gst.parse_launch(SEND), url, token)
    session.peer.connect("on-negotiation-needed", lambda _: session.offer())
    session.pipeline.set_state(Gst.State.PLAYING)
    return session


def play(url, token):
    pipeline = Gst.Pipeline()
    pipeline.add(Gst.parse_launch("webrtcbin name=peer bundle-policy=max-bundle"))
    session = Session(pipeline, url, token)
    pipeline.set_state(Gst.State.PLAYING)
    for caps in CAPS.values():
        receiving = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
        session.peer.emit("add-transceiver", receiving, Gst.Caps.from_string(caps))
    session.peer.connect("pad-added", lambda _, pad: _decode(pipeline, pad))
    session.offer()
    return session


def _decode(pipeline, pad):
    decoder = Gst.ElementFactory.make("decodebin")
    decoder.connect("pad-added", lambda _, decoded: _show(pipeline, decoded))
    pipeline.add(decoder)
    decoder.sync_state_with_parent()
    pad.link(decoder.get_static_pad("sink"))


def _show(pipeline, pad):
    kind = pad.get_current_caps().get_structure(0).get_name().partition("/")[0]
    branch = Gst.parse_bin_from_description(SINKS[kind], True)
    sink = branch.get_by_name("sink")
    sink.connect("new-sample", _picture if kind == "video" else Listener().sound)
    pipeline.add(branch)
    branch.sync_state_with_parent()
    pad.link(branch.get_static_pad("sink"))


def _picture(sink):
    sample = sink.emit("pull-sample")
    width = sample.get_caps().get_structure(0).get_value("width")
    pixels = _bytes(sample)
    row = pixels[: 3 * width]
    tell(colour=[round(sum(row[channel::3]) / width) for channel in range(3)])
    return Gst.FlowReturn.OK


class Listener:
    """Tells the tone of each half second: how often the sound crosses zero upwards."""

    def __init__(self):
        self.heard = array.array("h")

    def sound(self, sink):
        self.heard.frombytes(_bytes(sink.emit("pull-sample")))
        if len(self.heard) >= RATE_HZ // 2:
            crossings = sum(before < 0 <= after for before, after in pairwise(self.heard))
            loudness = math.sqrt(sum(each * each for each in self.heard) / len(self.heard))
            tell(tone=crossings * RATE_HZ / len(self.heard) if loudness > 500 else None)
            del self.heard[:]
        return Gst.FlowReturn.OK


def _bytes(sample):
    buffer = sample.get_buffer()
    return buffer.extract_dup(0, buffer.get_size())


def main(act, url, token):
    Gst.init(None)
    loop = GLib.MainLoop()
    session = {"publish": publish, "play": play}[act](url, token)
    threading.Thread(target=lambda: (sys.stdin.read(), loop.quit()), daemon=True).start()
    loop.run()
    session.end()


if __name__ == "__main__":
    main(*sys.argv[1:])
