/**
 * The numbers of all streams and both connections, taken from the browser no more often than rates make sense.
 */

/** @typedef {import("./types.js").StreamStats} StreamStats */
/** @typedef {import("./types.js").ConnectionStats} ConnectionStats */
/** @typedef {{ at: number, streams: StreamStats[], connections: ConnectionStats[] }} Sample */

import { Sampler } from "./stats.js";

const LEAST_INTERVAL = 0.4; // seconds: asked sooner, the last answer is given again

export class Measuring {
  /** @type {Sample | null} */ #last = null;
  #publish = new Sampler();
  #subscribe = new Sampler();
  #publisher;
  #subscriber;

  /**
   * @param {import("./publisher.js").Publisher} publisher
   * @param {import("./subscriber.js").Subscriber} subscriber
   */
  constructor(publisher, subscriber) {
    this.#publisher = publisher;
    this.#subscriber = subscriber;
  }

  /**
   * @param {string} userId of oneself
   * @returns {Promise<Sample>}
   */
  async sample(userId) {
    const at = performance.now() / 1000;
    if (this.#last && at - this.#last.at < LEAST_INTERVAL) return this.#last;
    await Promise.all([this.#publish.sample(this.#publisher.pc), this.#subscribe.sample(this.#subscriber.pc)]);
    const connections = [this.#publish.connection("publish"), this.#subscribe.connection("subscribe")];
    this.#last = { at, streams: [...this.#sent(userId), ...this.#received()], connections: connections.filter((connection) => connection !== null) };
    return this.#last;
  }

  /** @param {string} userId */
  #sent(userId) {
    return this.#publisher.streams.map(({ id, label, tracks, sections }) => {
      const audio = sections.audio && { mid: sections.audio.mid, trackId: tracks.audio?.id ?? null };
      const video = sections.video && { mid: sections.video.mid, trackId: tracks.video?.id ?? null };
      return this.#publish.stream({ streamId: id, userId, label, direction: "send", audio, video });
    });
  }

  #received() {
    const mids = new Map(this.#subscriber.pc?.getTransceivers().map(({ receiver, mid }) => [receiver, mid]));
    /** @param {RTCRtpReceiver | null} receiver */
    const section = (receiver) => receiver && { mid: mids.get(receiver) ?? null, trackId: receiver.track.id };
    return this.#subscriber.received.map(({ stream: { id, userId, label }, audio, video }) =>
      this.#subscribe.stream({ streamId: id, userId, label, direction: "receive", audio: section(audio), video: section(video) }),
    );
  }
}
