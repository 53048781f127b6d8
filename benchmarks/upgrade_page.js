// Runs before a page's own scripts: notes when each picture of the others was shown, and the steps of a move to the server.
const shown = (window.shown = {});
const steps = (window.steps = []);

function watch(video) {
  const times = (shown[video.dataset.userId] ??= []);
  const note = (now) => {
    times.push(now);
    video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
}

addEventListener("load", () => {
  for (const video of document.querySelectorAll("video[data-user-id]")) watch(video);
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) for (const node of addedNodes) if (node.matches?.("video[data-user-id]")) watch(node);
  }).observe(document.body, { childList: true, subtree: true });
  conference.on("modechange", () => steps.push({ step: "mode", at: performance.now() }));
  conference.on("move", ({ stream, step }) => steps.push({ step, at: performance.now(), of: stream.userId }));
});

/** Resolves once `look()` is true. */
window.comes = (look) =>
  new Promise((resolve) => {
    const timer = setInterval(() => look() && (clearInterval(timer), resolve()), 50);
  });

/** So many others are shown, with pictures that move. */
window.sees = (others) => Object.values(shown).filter((times) => times.length > 30).length >= others;

/** Everything comes by the server, and no direct connection is left. */
window.moved = () => conference.mode === "SFU" && conference.directConnections.size === 0 && conference.streams.every(({ way }) => way === "server");

function longest(times, from, to) {
  let gap = 0;
  for (let i = 1; i < times.length; i++) if (times[i] > from && times[i - 1] < to) gap = Math.max(gap, times[i] - times[i - 1]);
  return gap;
}

/** Milliseconds for each of those who were there before: longest gap in the second before, during the move, and at the exchange itself. */
window.gaps = () => {
  const begin = steps.find(({ step }) => step === "mode").at;
  return steps.filter(({ step }) => step === "moved").map(({ of, at }) => ({
    before: longest(shown[of], begin - 1000, begin),
    move: longest(shown[of], begin, at + 500),
    exchange: longest(shown[of], at - 5, at + 150),
    took: at - begin,
  }));
};
