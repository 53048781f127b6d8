/**
 * The parts of a stay in a conference, each told what it needs of the others: encryption, wishes, media, mutes, own streams.
 */

/** @typedef {import("./seat.js").Seat} Seat */
/** @typedef {import("./stay.js").Stay} Stay */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").RemoteStream} RemoteStream */

import { Media } from "./media.js";
import { Muting } from "./muting.js";
import { OwnPublishing } from "./own-publishing.js";
import { Secrecy } from "./secrecy.js";
import { Wishes } from "./wishes.js";

/**
 * @param {Stay} stay
 * @param {Seat} seat
 * @returns {{ secrecy: Secrecy, wishes: Wishes, media: Media, muting: Muting, publishing: OwnPublishing }}
 */
export function partsOf(stay, seat) {
  /** @param {RemoteStream} stream */
  const ended = (stream) => {
    wishes.forget(stream.id);
    stay.emit("streamended", { stream });
  };
  const secrecy = new Secrecy(stay.options.key, {
    send: (message) => stay.send(message),
    onSafetyNumber: (safetyNumber) => stay.emit("safety", { safetyNumber }),
    onError: (error) => stay.tellError(error),
  });
  const wishes = new Wishes((message) => stay.phase === "joined" && stay.mode === "SFU" && stay.send(message));
  const common = {
    /** @param {Message} message */
    send: (message) => stay.send(message),
    /** @param {Message} message @param {(message: Message) => boolean} [matches] */
    request: (message, matches) => stay.request(message, matches),
    /** @param {Error} error */
    onError: (error) => stay.tellError(error),
  };
  const media = new Media({
    ...common,
    iceServers: () => stay.joined?.ice_servers ?? [],
    encryption: () => secrecy.encryption,
    maxBitrate: () => stay.joined?.max_bitrate ?? null,
    canSignal: () => stay.canSignal,
    muted: (streamId) => stay.roster.muted(streamId),
    cameBefore: (userId) => stay.roster.cameBefore(userId, stay.self?.id ?? ""),
    onAccepted: () => muting.reconcileAll(),
    onHealth: () => stay.tellState(),
    onData: (message) => message.type === "data" && stay.emit("data", { from: message.from ?? null, payload: message.payload }),
    onStream: (stream) => stay.emit("stream", { stream }),
    onStreamEnded: (stream) => ended(stream),
    onStep: (stream, step) => stay.emit("move", { stream, step }),
  });
  const muting = new Muting(media.own, stay.roster, {
    ...common,
    online: () => stay.phase === "joined",
    onChange: (streamId, muted) => stay.emit("muted", { streamId, muted }),
  });
  const publishing = new OwnPublishing(media, seat, stay.roster, muting, { ...common, online: () => stay.phase === "joined" });
  return { secrecy, wishes, media, muting, publishing };
}
