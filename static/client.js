/**
 * The client library of the conference server.
 *
 *     import { Conference } from "/static/client.js";
 *
 *     const conference = new Conference({ credential: { token }, name: "Ann" });
 *     conference.on("stream", ({ stream }) => { video.srcObject = stream.mediaStream; });
 *     conference.on("streamended", ({ stream }) => { video.remove(); });
 *     await conference.join();
 *     await conference.publish(await navigator.mediaDevices.getUserMedia({ audio: true, video: true }));
 *
 * Events, options and results are described in `types.js`.
 */

export { Conference } from "./conference.js";
export { ConferenceError } from "./errors.js";
export { scoreOf } from "./stats.js";
