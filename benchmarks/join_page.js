// Runs before a page's own scripts: notes, in milliseconds since the navigation, when each step of a join was done.
const joining = (window.joining = { frames: {} });
let waiting = () => {};

/** Resolves to the notes once so many others have been seen. */
window.joiningShows = (others) =>
  new Promise((resolve) => {
    waiting = () => Object.keys(joining.frames).length >= others && resolve(joining);
    waiting();
  });

function noted(step) {
  joining[step] ??= performance.now();
}

const NativeSocket = window.WebSocket;
window.WebSocket = class extends NativeSocket {
  constructor(...args) {
    super(...args);
    noted("socket asked for");
    this.addEventListener("open", () => noted("socket open"));
    this.addEventListener("message", ({ data }) => {
      if (typeof data !== "string") return;
      if (data.includes('"type":"joined"')) noted("joined");
      if (data.includes('"type":"offer"')) noted("offered");
    });
  }
};

const NativeConnection = window.RTCPeerConnection;
window.RTCPeerConnection = class extends NativeConnection {
  constructor(...args) {
    super(...args);
    this.addEventListener("track", () => this.receives ||= true);
    this.addEventListener("iceconnectionstatechange", () => {
      if (this.receives && this.iceConnectionState === "connected") noted("ICE connected");
    });
    this.addEventListener("connectionstatechange", () => {
      if (this.receives && this.connectionState === "connected") noted("DTLS connected");
    });
  }
};

new MutationObserver(() => {
  for (const video of document.querySelectorAll("video[data-user-id]:not([data-self])")) {
    if (video.watched) continue;
    video.watched = true;
    video.requestVideoFrameCallback(() => {
      joining.frames[video.dataset.userId] = performance.now();
      waiting();
    });
  }
}).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-user-id"] });
