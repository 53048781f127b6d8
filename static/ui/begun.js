/**
 * Hands the socket that `early.js` has opened over to the library.
 */

/** @typedef {import("../early.js").Begun} Begun */

/**
 * @param {string} address where the library wants to go
 * @param {string} protocol
 * @returns {WebSocket} the one that is under way there, the first time; otherwise a new one
 */
export function connect(address, protocol) {
  const page = /** @type {{ begun?: Begun | null }} */ (window);
  const begun = page.begun;
  page.begun = null;
  if (begun?.address === address && begun.socket.readyState <= WebSocket.OPEN) return takeOver(begun);
  begun?.socket.close();
  return new WebSocket(address, [protocol]);
}

/**
 * Whoever listens next gets what has come so far; `join` has been said already.
 * @param {Begun} begun
 */
function takeOver({ socket, heard }) {
  const send = socket.send.bind(socket);
  socket.send = (text) => {
    socket.send = send;
    if (JSON.parse(String(text)).type !== "join") send(text);
  };
  queueMicrotask(() => {
    if (socket.readyState === WebSocket.OPEN) socket.onopen?.(new Event("open"));
    for (const data of heard) socket.onmessage?.(new MessageEvent("message", { data }));
  });
  return socket;
}
