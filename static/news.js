/**
 * What the server tells while somebody is in the conference: who else is there, what is muted, how media travels, how good it is.
 */

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./stay.js").Stay} Stay */

import { ConferenceError } from "./errors.js";
import { LISTENER } from "./roster.js";

export class News {
  #stay;

  /** @param {Stay} stay that the news change */
  constructor(stay) {
    this.#stay = stay;
  }

  /**
   * @param {Message} message
   */
  take(message) {
    if (this.#stay.roster.apply(message)) this.#participantsChanged(message);
    else if (message.type === "mute_update") this.#stay.muting.told(message);
    else if (message.type === "mode_update") this.modeChanged(message.mode, message.reason);
    else if (message.type === "layers_update") this.#layersTold(message.streams);
    else if (message.type === "layers_wanted") this.#stay.media.server.publisher.wantLayers(message.stream_id, message.rids).catch((error) => this.#stay.tellError(error));
    else if (message.type === "quality_update") this.#stay.emit("quality", { userId: message.user_id, score: message.score, loss: message.loss, rtt: message.rtt });
    else if (message.type === "stfu") this.#askedToMute(typeof message.user === "object" ? message.user?.id : message.user);
  }

  /**
   * @param {string} mode
   * @param {string} reason
   */
  modeChanged(mode, reason) {
    if (this.#stay.joined) this.#stay.joined.e2ee = false;
    this.#stay.media.setMode(mode === "MESH" ? "MESH" : "SFU");
    this.#stay.wishes.repeat();
    this.#stay.emit("modechange", { mode: this.#stay.mode, reason });
  }

  /** @param {Message} message */
  #participantsChanged({ type, user_id, role, participant }) {
    if (participant?.online === false) this.#stay.media.left(participant.id);
    if (type === "role_update" && user_id === this.#stay.self?.id) this.#roleChanged(role);
    this.#stay.secrecy.changed(this.#stay.roster.participants);
    this.#stay.emit("participants", { participants: this.#stay.roster.participants });
  }

  /**
   * The server has ended what somebody publishes who may not any more: so it ends here.
   * @param {string} role of oneself, from now on
   */
  #roleChanged(role) {
    if (role === LISTENER) this.#stay.publishing.forget();
    this.#stay.media.setRole(role);
  }

  /** @param {Record<string, import("./types.js").LayerState>} streams */
  #layersTold(streams) {
    for (const [id, layers] of Object.entries(streams ?? {})) {
      const stream = this.#stay.media.incoming.stream(id);
      if (!stream) continue;
      stream.layers = layers;
      this.#stay.emit("layers", { stream, layers });
    }
  }

  /** @param {string | undefined} by */
  #askedToMute(by) {
    const { camera } = this.#stay.media.own;
    if (camera && by !== this.#stay.self?.id) this.#try(this.#stay.muting.set(camera.id, { audio: true }));
  }

  /** @param {Promise<unknown>} work whose failure is told as an event, unless it is only that the server is away */
  #try(work) {
    work.catch((error) => {
      if (!(error instanceof ConferenceError) || error.code > 0) this.#stay.tellError(error);
    });
  }
}
