/**
 * The numbers of all streams and connections, taken from the browser no more often than rates make sense.
 */

/** @typedef {import("./types.js").StreamStats} StreamStats */
/** @typedef {import("./types.js").ConnectionStats} ConnectionStats */
/** @typedef {import("./own-streams.js").OwnStream} OwnStream */
/** @typedef {{ at: number, streams: StreamStats[], connections: ConnectionStats[] }} Sample */

import { Sampler } from "./stats.js";

const LEAST_INTERVAL = 0.4; // seconds: asked sooner, the last answer is given again

export class Measuring {
  /** @type {Sample | null} */ #last = null;
  #publish = new Sampler();
  #subscribe = new Sampler();
  /** @type {Map<string, Sampler>} of direct connections, by user */ #direct = new Map();
  #media;

  /** @param {import("./media.js").Media} media */
  constructor(media) {
    this.#media = media;
  }

  /**
   * @param {string} userId of oneself
   * @returns {Promise<Sample>}
   */
  async sample(userId) {
    const at = performance.now() / 1000;
    if (this.#last && at - this.#last.at < LEAST_INTERVAL) return this.#last;
    const { server, direct } = this.#media;
    this.#direct = new Map([...direct.keys()].map((id) => [id, this.#direct.get(id) ?? new Sampler()]));
    await Promise.all([this.#publish.sample(server.publisher.pc), this.#subscribe.sample(server.subscriber.pc), ...[...direct].map(([id, pc]) => this.#direct.get(id)?.sample(pc))]);
    this.#last = { at, streams: [...this.#sent(userId), ...this.#received()], connections: this.#connections() };
    return this.#last;
  }

  #connections() {
    const direct = [...this.#direct].map(([userId, sampler]) => sampler.connection("direct", userId));
    return [this.#publish.connection("publish"), this.#subscribe.connection("subscribe"), ...direct].filter((connection) => connection !== null);
  }

  /**
   * @param {string} userId
   * @returns {StreamStats[]}
   */
  #sent(userId) {
    const ways = this.#senders();
    return this.#media.own.all.map((stream) => {
      const { id: streamId, label } = stream;
      const copies = ways.map(({ sampler, sender }) => sampler.stream({ streamId, userId, label, direction: "send", ...tracked(stream, sender.sections(streamId)) }));
      return { ...gathered(copies, this.#publish.stream({ streamId, userId, label, direction: "send", audio: null, video: null })), way: this.#media.mode === "SFU" ? "server" : "direct" };
    });
  }

  /** What own streams are sent by. */
  #senders() {
    if (this.#media.mode === "SFU") return [{ sampler: this.#publish, sender: this.#media.server.publisher }];
    return (this.#media.mesh?.links ?? []).flatMap(([userId, sender]) => {
      const sampler = this.#direct.get(userId);
      return sampler ? [{ sampler, sender }] : [];
    });
  }

  /** @returns {StreamStats[]} */
  #received() {
    return this.#media.incoming.shown.map(({ stream: { id, userId, label, way }, audio, video }) => {
      const pc = way === "server" ? this.#media.server.subscriber.pc : this.#media.direct.get(userId);
      const sampler = (way === "direct" && this.#direct.get(userId)) || this.#subscribe;
      const mids = new Map(pc?.getTransceivers().map(({ receiver, mid }) => [receiver, mid]));
      /** @param {RTCRtpReceiver | null} receiver */
      const section = (receiver) => receiver && { mid: mids.get(receiver) ?? null, trackId: receiver.track.id };
      return { ...sampler.stream({ streamId: id, userId, label, direction: "receive", audio: section(audio), video: section(video) }), way };
    });
  }
}

/**
 * @param {OwnStream} stream
 * @param {Record<"audio" | "video", RTCRtpTransceiver | null>} sections
 */
function tracked({ tracks }, { audio, video }) {
  return { audio: audio && { mid: audio.mid, trackId: tracks.audio?.id ?? null }, video: video && { mid: video.mid, trackId: tracks.video?.id ?? null } };
}

/**
 * A stream that is sent several times, as one: the best of them, the bits of all.
 * @param {Omit<StreamStats, "way">[]} copies
 * @param {Omit<StreamStats, "way">} none what is told of a stream that is not sent
 */
function gathered(copies, none) {
  const best = copies.reduce((one, other) => (other.bitrate >= one.bitrate ? other : one), none);
  return { ...best, bitrate: copies.reduce((sum, { bitrate }) => sum + bitrate, 0) };
}
