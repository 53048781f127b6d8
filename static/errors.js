/**
 * What a caller of the library can get as an error, by name.
 */

/** @type {Record<number, string>} names for close codes that came without an `error` message */
const NAMES = {
  4400: "malformed",
  4401: "no_credential",
  4403: "forbidden",
  4404: "not_found",
  4409: "room_full",
  4410: "ended",
  4413: "message_too_long",
  4423: "locked",
  4429: "too_many_messages",
  4500: "server_failure",
};

/** A refusal by the server, or a connection that could not be made. */
export class ConferenceError extends Error {
  /**
   * @param {string} name machine-readable, e.g. `room_full`
   * @param {number} code HTTP-like; 0 when the server was not reached
   * @param {string} message
   */
  constructor(name, code, message) {
    super(message);
    this.name = name;
    this.code = code;
  }
}

/**
 * @param {number} closeCode
 * @param {string} reason the close frame's own words, if any
 * @returns {ConferenceError}
 */
export function refusalOf(closeCode, reason) {
  const name = NAMES[closeCode] ?? "connection_lost";
  return new ConferenceError(name, closeCode > 4000 ? closeCode - 4000 : 0, reason || name.replaceAll("_", " "));
}
