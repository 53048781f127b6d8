/**
 * Where the conversation with the server takes place, credential included.
 */

/**
 * @param {URL} base of the server
 * @param {import("./types.js").Credential & { name?: string }} who
 * @param {import("./types.js").Endpoint | null} endpoint the seat to come back to; its token says who it is
 * @returns {string}
 */
export function addressOf(base, { token, accessKey, room, id, name }, endpoint) {
  const address = new URL("rt", base.href.endsWith("/") ? base : `${base.href}/`);
  address.protocol = base.protocol === "http:" ? "ws:" : "wss:";
  const query = { access_key: accessKey, room, token: endpoint?.token ?? token, id: endpoint ? undefined : id, name };
  for (const [key, value] of Object.entries(query)) if (value) address.searchParams.set(key, value);
  return address.href;
}
