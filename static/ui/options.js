/**
 * What the address of a conference page asks for.
 */

/** @typedef {import("../types.js").Credential} Credential */

/**
 * @typedef {object} PageOptions
 * @property {Credential | null} credential
 * @property {string | null} link address to hand to others; null where the credential is personal
 * @property {string | undefined} key of an encrypted conference: it stands in the fragment, which no server is told
 * @property {string} name
 * @property {boolean} autojoin
 * @property {boolean} audio
 * @property {boolean} video
 * @property {boolean} screen
 * @property {"streams" | "one_view" | "auto" | undefined} view
 * @property {"vp8" | "vp9" | "h264" | "av1" | undefined} codec
 * @property {boolean} simulcast
 * @property {number | undefined} width
 * @property {number | undefined} height
 * @property {number | undefined} fps
 * @property {boolean} hideChat
 * @property {boolean} disableSupport no help and no way to other pages
 * @property {string} lang
 */

const VIEWS = /** @type {const} */ (["streams", "one_view", "auto"]);
const CODECS = /** @type {const} */ (["vp8", "vp9", "h264", "av1"]);

/**
 * @param {URL | Location} address
 * @returns {PageOptions}
 */
export function readOptions(address) {
  const query = new URLSearchParams(address.search);
  return {
    credential: credentialOf(address, query),
    link: linkOf(address, query),
    key: keyOf(address),
    name: query.get("name") ?? query.get("participantName") ?? "",
    autojoin: flag(query, "autojoin", false),
    audio: flag(query, "audio", true),
    video: flag(query, "video", true),
    screen: flag(query, "screen", false),
    view: VIEWS.find((view) => view === query.get("view")),
    codec: CODECS.find((codec) => codec === query.get("codec")?.toLowerCase()),
    simulcast: flag(query, "simulcast", true),
    width: number(query, "width"),
    height: number(query, "height"),
    fps: number(query, "fps"),
    hideChat: flag(query, "hideChat", false),
    disableSupport: flag(query, "disableSupport", false),
    lang: query.get("lang") ?? navigator.language,
  };
}

/**
 * @param {URL | Location} address
 * @param {URLSearchParams} query
 * @returns {Credential | null}
 */
function credentialOf(address, query) {
  const id = query.get("id") ?? undefined;
  const token = query.get("token") ?? query.get("accessToken") ?? query.get("refreshToken") ?? undefined;
  const alias = /^\/room\/([^/]+)$/.exec(address.pathname)?.[1];
  const room = alias ? decodeURIComponent(alias) : (query.get("room") ?? undefined);
  if (room) return { room, token, id };
  if (token) return { token, id };
  const guest = query.get("guest");
  if (guest) return { guest };
  const permalink = query.get("permalink");
  if (permalink) return { permalink };
  const accessKey = query.get("access_key") ?? bareKey(address.search);
  return accessKey ? { accessKey } : null;
}

/**
 * `/app?<access key>`: the whole query, or its first part, is a name without a value.
 * @param {string} search
 */
function bareKey(search) {
  const first = search.slice(1).split("&")[0] ?? "";
  return first && !first.includes("=") && first !== "hideChat" ? decodeURIComponent(first) : null;
}

/** @param {URL | Location} address */
function keyOf(address) {
  return new URLSearchParams(address.hash.slice(1)).get("key") || undefined;
}

/**
 * @param {URL | Location} address
 * @param {URLSearchParams} query
 */
function linkOf(address, query) {
  const shared = new URL(address.pathname, address.origin);
  const keys = query.has("token") && !query.has("room") ? ["token"] : query.has("guest") ? ["guest"] : [];
  for (const key of keys) shared.searchParams.set(key, query.get(key) ?? "");
  shared.hash = keyOf(address) ? address.hash : "";
  return keys.length || address.pathname.startsWith("/room/") ? shared.href : null;
}

/**
 * @param {URLSearchParams} query
 * @param {string} key
 * @param {boolean} otherwise
 */
function flag(query, key, otherwise) {
  const value = query.get(key);
  if (value === null) return otherwise;
  return !["0", "false", "no", "off"].includes(value.toLowerCase());
}

/**
 * @param {URLSearchParams} query
 * @param {string} key
 */
function number(query, key) {
  const value = Number.parseInt(query.get(key) ?? "", 10);
  return value > 0 ? value : undefined;
}
