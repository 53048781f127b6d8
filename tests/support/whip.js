// A page as an encoder (WHIP) and as a player (WHEP): put behind signals.js, whose pictures and tones it shows and reads.

const http = {pc: null, location: null, tag: null, headers: {}};

const credentials = (sdp) => [/a=ice-ufrag:(\S+)/.exec(sdp)[1], /a=ice-pwd:(\S+)/.exec(sdp)[1]];

async function offerTo(url, token) {
  await http.pc.setLocalDescription();
  http.headers = {Authorization: `Bearer ${token}`};
  const response = await fetch(url, {method: 'POST', headers: {...http.headers, 'Content-Type': 'application/sdp'}, body: http.pc.localDescription.sdp});
  const answer = await response.text();
  if (response.status !== 201) throw new Error(`${response.status} ${answer}`);
  http.location = new URL(response.headers.get('Location'), url).href;
  http.tag = response.headers.get('ETag');
  await http.pc.setRemoteDescription({type: 'answer', sdp: answer});
}

/** Publishes this number as an encoder does. */
signals.encode = async (url, token, number, {codec, simulcast = false, ...size} = {}) => {
  http.pc = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
  const stream = camera(number, size);
  for (const track of stream.getTracks()) {
    const layers = simulcast && track.kind === 'video' ? [{rid: 'f'}, {rid: 'h', scaleResolutionDownBy: 2}] : [{}];
    const transceiver = http.pc.addTransceiver(track, {direction: 'sendonly', streams: [stream], sendEncodings: layers});
    if (codec && track.kind === 'video') transceiver.setCodecPreferences(codecsLike(codec));
  }
  await offerTo(url, token);
};

const codecsLike = (name) => RTCRtpSender.getCapabilities('video').codecs.filter(({mimeType}) => [`video/${name}`, 'video/rtx'].includes(mimeType.toLowerCase()));

/** Plays into an element that is found like somebody's camera, under the id `played`. */
signals.play = async (url, token) => {
  http.pc = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
  const stream = new MediaStream();
  for (const kind of ['audio', 'video']) stream.addTrack(http.pc.addTransceiver(kind, {direction: 'recvonly'}).receiver.track);
  const video = Object.assign(document.createElement('video'), {autoplay: true, muted: true, srcObject: stream, width: 320});
  Object.assign(video.dataset, {userId: 'played', label: 'camera'});
  document.body.append(video);
  await offerTo(url, token);
};

/** Restarts ICE by PATCH; resolves with the statuses of the restart and of candidates that follow it. */
signals.restartOver = async () => {
  http.pc.restartIce();
  await http.pc.setLocalDescription();
  const type = {'Content-Type': 'application/trickle-ice-sdpfrag'};
  const [ufrag, pwd] = credentials(http.pc.localDescription.sdp);
  const body = `a=ice-ufrag:${ufrag}\r\na=ice-pwd:${pwd}\r\n`;
  const response = await fetch(http.location, {method: 'PATCH', headers: {...http.headers, ...type, 'If-Match': '*'}, body});
  const fragment = await response.text();
  const [before, after] = [credentials(http.pc.currentRemoteDescription.sdp), credentials(fragment)];
  http.tag = response.headers.get('ETag');
  const sdp = http.pc.currentRemoteDescription.sdp.replaceAll(before[0], after[0]).replaceAll(before[1], after[1]);
  await http.pc.setRemoteDescription({type: 'answer', sdp});
  const candidates = await fetch(http.location, {method: 'PATCH', headers: {...http.headers, ...type, 'If-Match': http.tag}, body: `${body}a=end-of-candidates\r\n`});
  return [response.status, candidates.status];
};

/** Waits until the selected pair of candidates belongs to the newest credentials. */
signals.movedOver = (seconds) => until('the new path', seconds, async () => {
  const stats = [...(await http.pc.getStats()).values()];
  const transport = stats.find(({type}) => type === 'transport');
  const local = credentials(http.pc.localDescription.sdp)[0];
  return (transport?.iceLocalUsernameFragment === local && transport.dtlsState === 'connected' && transport.iceState === 'connected') || transport;
});

signals.sentLayers = async () => [...(await http.pc.getStats()).values()].filter(({type, kind, framesSent}) => type === 'outbound-rtp' && kind === 'video' && framesSent > 0).length;

signals.endOver = async () => (await fetch(http.location, {method: 'DELETE', headers: http.headers})).status;

signals.overAndOut = (seconds) => until('closed', seconds, () => ['closed', 'failed', 'disconnected'].includes(http.pc.connectionState) || http.pc.connectionState);
