/**
 * What the link of a space's room opens, asked before anybody is asked for a name or a camera. It is not used up by that.
 */

/** @typedef {import("../types.js").Credential} Credential */

/**
 * @typedef {object} Entrance
 * @property {string} roomName
 * @property {string | null} participantName null: one may choose
 * @property {string} role
 * @property {boolean} isPublic whether the bare link is enough
 */

/**
 * @param {Credential} credential
 * @returns {Promise<Entrance | { refusal: string } | null>} null where it is not known: joining will tell
 */
export async function lookAhead({ room, token }) {
  if (!room) return null;
  try {
    const headers = token ? { Authorization: `Bearer ${token}` } : undefined;
    const response = await fetch(`/v1/entrances/${encodeURIComponent(room)}`, { headers });
    const body = await response.json();
    if (response.ok) return body;
    return response.status < 500 ? { refusal: refusalOf(body.error, token) } : null;
  } catch {
    return null;
  }
}

/**
 * A room that strangers may not enter is something else than a link that is not good any more.
 * @param {string} name
 * @param {string} [token]
 */
export function refusalOf(name, token) {
  return name === "forbidden" && !token ? "private_room" : name;
}
