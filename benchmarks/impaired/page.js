// What a participant's page does in this benchmark: publishes its camera, or watches, and notes what is seen and heard.
//
// A page of its own instead of the conference page: nothing is drawn but small pictures, and no size is wished for, so
// everybody asks for the best. Times are milliseconds of the system's clock, which the benchmark shares.
import {Conference} from "/static/client.js";

const LOOK_EVERY = 500;
const NOTABLE = 150; // milliseconds between two pictures

const notes = {looks: [], gaps: [], layers: [], first: null};
let conference = null;

const now = () => performance.timeOrigin + performance.now();

window.enter = async (token, name, camera) => {
  const stream = camera && await navigator.mediaDevices.getUserMedia({
    audio: {echoCancellation: false, noiseSuppression: false, autoGainControl: false},
    video: camera,
  });
  conference = window.conference = new Conference({credential: {token}, name});
  conference.on("stream", ({stream}) => show(stream));
  conference.addEventListener("layers_update", ({detail}) => notes.layers.push({at: now(), streams: detail.streams}));
  await conference.join();
  if (stream) await conference.publish(stream);
  setInterval(look, LOOK_EVERY);
};

function show(stream) {
  const video = Object.assign(document.createElement("video"), {autoplay: true, srcObject: stream.mediaStream, width: 160});
  document.body.append(video);
  let last = null;
  const shown = () => {
    const at = now();
    notes.first ??= at;
    if (last !== null && at - last > NOTABLE) notes.gaps.push({at, gap: at - last});
    last = at;
    video.requestVideoFrameCallback(shown);
  };
  video.requestVideoFrameCallback(shown);
}

async function look() {
  const {publish, subscribe} = conference.connections;
  const note = {at: now(), sent: {}, picture: null, sound: null, available: null};
  for (const report of await reports(publish)) {
    if (report.type === "outbound-rtp" && report.kind === "video") note.sent[report.rid ?? ""] = sent(report);
    if (report.type === "outbound-rtp" && report.kind === "audio") note.sentSound = report.bytesSent + report.headerBytesSent;
    if (report.type === "candidate-pair" && report.nominated) note.available = report.availableOutgoingBitrate ?? null;
  }
  for (const report of await reports(subscribe)) {
    if (report.type !== "inbound-rtp") continue;
    if (report.kind === "video") note.picture = picture(report);
    else note.sound = sound(report);
  }
  notes.looks.push(note);
}

const reports = async (pc) => (pc ? [...(await pc.getStats()).values()] : []);

const sent = ({frameWidth, framesEncoded, bytesSent, retransmittedBytesSent, qualityLimitationReason, active}) =>
  ({width: frameWidth ?? 0, frames: framesEncoded, bytes: bytesSent - retransmittedBytesSent, limitation: qualityLimitationReason, active});

const picture = ({frameWidth, framesDecoded, bytesReceived, retransmittedBytesReceived, freezeCount, totalFreezesDuration, pliCount, nackCount, packetsLost, keyFramesDecoded, framesDropped}) =>
  ({width: frameWidth ?? 0, frames: framesDecoded, bytes: bytesReceived, repairs: retransmittedBytesReceived, freezes: freezeCount, frozen: totalFreezesDuration, plis: pliCount, nacks: nackCount, lost: packetsLost, keys: keyFramesDecoded, dropped: framesDropped});

const sound = ({totalSamplesReceived, concealedSamples, silentConcealedSamples, packetsReceived, packetsLost}) =>
  ({samples: totalSamplesReceived, concealed: concealedSamples, silent: silentConcealedSamples, packets: packetsReceived, lost: packetsLost});

window.noted = () => ({...notes, until: now()});
