/**
 * The interfaces of the server, and whom each is for: on the start page, and over their operations in the reference.
 */

import { h } from "./dom.js";
import { icon } from "./icons.js";

/** @typedef {{ title: string, icon: string, path: string, audience: string, text: string }} Interface */

/** @type {Record<string, Interface>} by the name the server gives it */
export const FAMILIES = {
  realtime: {
    title: "Realtime",
    icon: "chart",
    path: "/api/realtime",
    audience: "Applications with screens of their own",
    text: "Rooms, tokens and media for clients that negotiate by themselves. Small rooms connect people directly and move to the server as they grow.",
  },
  rooms: {
    title: "Rooms",
    icon: "people",
    path: "/rooms",
    audience: "Teams whose users and guests meet",
    text: "Everybody gets a link to a ready page. Slides, layouts, recordings, locks and webhooks are calls away.",
  },
  sessions: {
    title: "Sessions",
    icon: "book",
    path: "/session",
    audience: "Platforms with a calendar",
    text: "Appointments that open and close by schedule, tokens by role, lists of who attended, archives.",
  },
  spaces: {
    title: "Spaces",
    icon: "grid",
    path: "/v1",
    audience: "Schools and organisations",
    text: "Standing rooms for lessons and webinars, invitations, links for people without an account, rooms within your own site.",
  },
  whip: { title: "WHIP", icon: "camera", path: "/whip", audience: "Encoders and studios", text: "Publish into a room of any of the others with one POST, from OBS, FFmpeg or GStreamer." },
  whep: { title: "WHEP", icon: "speaker", path: "/whep", audience: "Players", text: "Watch one person or the whole picture with one POST, in a browser or anything that speaks WebRTC." },
};

/**
 * @param {string[]} names as the server gives them
 * @returns {HTMLAnchorElement[]} a card for each that is known, leading to its reference
 */
export function familyCards(names) {
  return names.flatMap((name) => {
    const family = FAMILIES[name];
    if (!family) return [];
    const title = h("strong", {}, icon(family.icon), family.title, h("code", { text: family.path }));
    return [h("a", { class: "family", href: `/docs#family-${name}` }, title, h("span", { class: "family-audience", text: family.audience }), h("p", { text: family.text }))];
  });
}
