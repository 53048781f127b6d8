// Run in a browser by test_descriptions_in_browsers.py: makes offers, takes our answers, answers our offers.

async function media(audio, video) {
  return navigator.mediaDevices.getUserMedia({audio, video: video && {width: 640, height: 360}});
}

function screen() {
  const canvas = document.createElement('canvas');
  canvas.getContext('2d').fillRect(0, 0, 9, 9);
  return canvas.captureStream(5);
}

function send(pc, stream, kind, sendEncodings) {
  const track = stream.getTracks().find(each => each.kind === kind);
  return pc.addTransceiver(track, {direction: 'sendonly', streams: [stream], ...(sendEncodings && {sendEncodings})});
}

function only(transceiver, mimeTypes) {
  const codecs = RTCRtpSender.getCapabilities(transceiver.sender.track.kind).codecs;
  transceiver.setCodecPreferences(codecs.filter(codec => mimeTypes.includes(codec.mimeType.toLowerCase())));
}

const LAYERS = [{rid: 'f'}, {rid: 'h', scaleResolutionDownBy: 2}, {rid: 'q', scaleResolutionDownBy: 4}];

const SCENES = {
  async camera_mic(pc) {
    const stream = await media(true, true);
    send(pc, stream, 'audio');
    send(pc, stream, 'video');
  },
  async simulcast_screen_data(pc) {
    const stream = await media(true, true);
    pc.createDataChannel('events');
    send(pc, stream, 'audio');
    send(pc, stream, 'video', LAYERS);
    send(pc, screen(), 'video');
  },
  async inactive_and_stopped(pc) {
    const stream = await media(true, true);
    send(pc, stream, 'audio').sender.replaceTrack(null);
    pc.removeTrack(send(pc, stream, 'video').sender);
    pc.addTransceiver('video', {direction: 'inactive'});
    pc.addTransceiver('audio', {direction: 'recvonly'});
  },
  async data_only(pc) {
    pc.createDataChannel('events');
  },
  async pcmu_and_video(pc) {
    const stream = await media(true, true);
    only(send(pc, stream, 'audio'), ['audio/pcmu']);
    send(pc, stream, 'video');
  },
  async pcmu_only(pc) {
    only(send(pc, await media(true, false), 'audio'), ['audio/pcmu']);
  },
};
for (const codec of ['vp8', 'vp9', 'av1']) {
  SCENES[`only_${codec}`] = async pc => {
    only(send(pc, await media(false, true), 'video'), [`video/${codec}`, 'video/rtx']);
  };
}

const CHANGES = {
  add_video: pc => send(pc, screen(), 'video'),
  restart: pc => pc.restartIce(),
  stop_last: pc => pc.getTransceivers().at(-1).stop(),
  remove_all: pc => pc.getSenders().forEach(sender => pc.removeTrack(sender)),
  stop_all: pc => pc.getTransceivers().forEach(transceiver => transceiver.stop()),
};

let publishing, subscribing, tracks;

async function offer() {
  await publishing.setLocalDescription(await publishing.createOffer());
  return publishing.localDescription.sdp;
}

window.CALLS = {
  async publish(scene) {
    publishing = new RTCPeerConnection();
    await SCENES[scene](publishing);
    return offer();
  },
  async change(how) {
    CHANGES[how](publishing);
    return offer();
  },
  async answer(sdp) {
    await publishing.setRemoteDescription({type: 'answer', sdp});
    return publishing.getTransceivers().map(each => each.currentDirection);
  },
  async subscribe() {
    subscribing = new RTCPeerConnection();
    tracks = [];
    subscribing.ontrack = event => tracks.push([event.transceiver.mid, event.streams[0].id]);
  },
  async offered(sdp) {
    await subscribing.setRemoteDescription({type: 'offer', sdp});
    await subscribing.setLocalDescription(await subscribing.createAnswer());
    return subscribing.localDescription.sdp;
  },
  async tracks() {
    return tracks;
  },
};
