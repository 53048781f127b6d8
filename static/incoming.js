/**
 * What this participant receives, and which of the ways it comes by is shown.
 *
 * A stream comes directly from whoever publishes it, or by the server, or for a while by both. It is one `RemoteStream` all the
 * time, and its `MediaStream` stays the same object while the tracks in it change. When the server's copy of a stream appears beside
 * the direct one, a handover decides when it takes over (`handover.js`, given by whoever makes direct connections).
 */

/** @typedef {import("./types.js").RemoteStream} RemoteStream */
/** @typedef {import("./types.js").StreamEntry} StreamEntry */
/** @typedef {import("./types.js").Way} Way */
/** @typedef {Record<"audio" | "video", RTCRtpReceiver | null>} Receivers */

/**
 * @typedef {object} Received
 * @property {RemoteStream} stream
 * @property {Map<Way, Receivers>} ways
 * @property {{ cancel: () => void } | null} handover under way
 */

/**
 * @typedef {object} IncomingOwner
 * @property {(stream: RemoteStream) => void} onStream
 * @property {(stream: RemoteStream) => void} onStreamEnded
 * @property {(stream: RemoteStream, step: import("./types.js").MoveStep) => void} onStep of a stream that moves to the server
 */

/** @typedef {(stream: RemoteStream, next: Receivers, tell: (step: import("./types.js").MoveStep) => void) => { cancel: () => void }} Handover */

export class Incoming {
  /** @type {Map<string, Received>} */ #received = new Map();
  /** @type {Handover | null} how a stream moves; at once as long as nobody has told */ handover = null;
  #owner;

  /** @param {IncomingOwner} owner */
  constructor(owner) {
    this.#owner = owner;
  }

  /** @returns {RemoteStream[]} */
  get streams() {
    return [...this.#received.values()].map(({ stream }) => stream);
  }

  /** @param {string} streamId */
  stream(streamId) {
    return this.#received.get(streamId)?.stream;
  }

  /** @returns {{ stream: RemoteStream, audio: RTCRtpReceiver | null, video: RTCRtpReceiver | null }[]} as shown */
  get shown() {
    return [...this.#received.values()].map(({ stream, ways }) => ({ stream, ...(ways.get(stream.way) ?? { audio: null, video: null }) }));
  }

  /**
   * A stream arrives by `way`, in these receivers.
   * @param {Way} way
   * @param {StreamEntry} entry
   * @param {Receivers} receivers
   */
  place(way, entry, receivers) {
    const known = this.#received.get(entry.stream_id);
    if (!known) return this.#begin(way, entry, receivers);
    const moves = way === "server" && known.stream.way === "direct";
    if (moves && known.handover && sameReceivers(known.ways.get(way), receivers)) return; // told again while it is under way
    known.ways.set(way, receivers);
    if (!receivers.audio && !receivers.video) return; // it will come again: after a reload of its publisher's page
    if (way === known.stream.way) setTracks(known.stream.mediaStream, receivers);
    else if (moves) this.#move(known, receivers);
  }

  /**
   * Ends what comes by `way`, but for these streams.
   * @param {Way} way
   * @param {Set<string>} present ids
   * @param {string} [userId] of this participant only
   */
  keep(way, present, userId) {
    for (const { stream, ways } of [...this.#received.values()]) {
      if (ways.has(way) && !present.has(stream.id) && (userId === undefined || stream.userId === userId)) this.#withdraw(way, stream.id);
    }
  }

  /**
   * Whether everything of this participant is shown as the server sends it.
   * @param {string} userId
   * @param {string[]} streamIds what there is of it
   */
  hasMoved(userId, streamIds) {
    const theirs = [...this.#received.values()].filter(({ stream }) => stream.userId === userId);
    return streamIds.every((id) => this.#received.has(id)) && theirs.every(({ stream }) => stream.way === "server");
  }

  clear() {
    for (const way of /** @type {Way[]} */ (["direct", "server"])) this.keep(way, new Set());
  }

  /**
   * @param {Way} way
   * @param {StreamEntry} entry
   * @param {Receivers} receivers
   */
  #begin(way, { stream_id, user_id, label }, receivers) {
    /** @type {RemoteStream} */
    const stream = { id: stream_id, userId: user_id ?? "", label, mediaStream: new MediaStream(), layers: null, way };
    this.#received.set(stream.id, { stream, ways: new Map([[way, receivers]]), handover: null });
    setTracks(stream.mediaStream, receivers);
    this.#owner.onStream(stream);
  }

  /**
   * @param {Received} received
   * @param {Receivers} receivers by the server
   */
  #move(received, receivers) {
    const { stream } = received;
    received.handover?.cancel();
    if (!this.handover) return this.#moved(received);
    this.#owner.onStep(stream, "offered");
    received.handover = this.handover(stream, receivers, (step) => (step === "moved" ? this.#moved(received) : this.#owner.onStep(stream, step)));
  }

  /** @param {Received} received */
  #moved(received) {
    const { stream, ways } = received;
    received.handover = null;
    stream.way = "server";
    setTracks(stream.mediaStream, ways.get("server") ?? { audio: null, video: null });
    this.#owner.onStep(stream, "moved");
  }

  /**
   * @param {Way} way
   * @param {string} streamId
   */
  #withdraw(way, streamId) {
    const received = this.#received.get(streamId);
    if (!received?.ways.delete(way)) return;
    if (way === "server" || received.ways.size === 0) received.handover?.cancel();
    if (received.ways.size === 0) {
      this.#received.delete(streamId);
      this.#owner.onStreamEnded(received.stream);
    } else if (received.stream.way === "direct" && way === "direct") {
      received.handover?.cancel();
      this.#moved(received); // what is there is better than what is not
    }
  }
}

/**
 * @param {Receivers | undefined} one
 * @param {Receivers} other
 */
function sameReceivers(one, other) {
  return one?.audio === other.audio && one?.video === other.video;
}

/**
 * Makes `stream` hold the tracks of these receivers and no others. The new ones come first: an element that has no picture to show
 * for a moment would show none.
 * @param {MediaStream} stream
 * @param {Receivers} receivers
 */
function setTracks(stream, receivers) {
  const wanted = [receivers.audio, receivers.video].flatMap((receiver) => (receiver ? [receiver.track] : []));
  for (const track of wanted) if (!stream.getTracks().includes(track)) stream.addTrack(track);
  for (const track of stream.getTracks()) if (!wanted.includes(track)) stream.removeTrack(track);
}
