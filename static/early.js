/**
 * Knocks at the server while the page is still loading: opens the socket and says `join`, where nobody has to be asked first.
 *
 * The first file of the conference page, and without imports, so that the server's answers are here before the modules are. It knows
 * the plainest case only: a token, and no seat to come back to. `ui/begun.js` hands the socket over to the library if that asks for
 * the same address; otherwise nothing has happened but a knock.
 */

/** @typedef {{ address: string, socket: WebSocket, heard: string[] }} Begun */

const PLAIN = new Set(["token", "autojoin", "name", "audio", "video", "screen", "codec", "simulcast", "width", "height", "fps", "hideChat", "lang"]);

/**
 * @param {string} token
 * @param {string} name
 * @returns {Begun}
 */
function begin(token, name) {
  const address = new URL(`/rt?${new URLSearchParams({ token, name })}`, location.origin);
  address.protocol = location.protocol === "http:" ? "ws:" : "wss:";
  const socket = new WebSocket(address.href, ["conf-v1-json"]);
  /** @type {string[]} */
  const heard = [];
  const join = socket.send.bind(socket, JSON.stringify({ type: "join", name, platform: "web", audio: false, video: false }));
  socket.addEventListener("open", join, { once: true });
  socket.onmessage = ({ data }) => heard.push(data); // until the library listens itself
  return { address: address.href, socket, heard };
}

/** What is asked for in the page's address, if that can be begun with; null if it needs the library. */
function begunFrom(/** @type {URLSearchParams} */ query) {
  const token = query.get("token");
  const plain = token && query.get("autojoin") === "1" && [...query.keys()].every((key) => PLAIN.has(key));
  try {
    if (!plain || sessionStorage.getItem("folkmoot.endpoint")) return null;
    return begin(token, query.get("name") || localStorage.getItem("folkmoot.name") || "Guest");
  } catch {
    return null; // storage may be forbidden
  }
}

/** @type {any} */ (window).begun = begunFrom(new URLSearchParams(location.search));

export {};
