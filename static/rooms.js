/**
 * The Rooms API for pages and for applications in browsers: what somebody does in a team's meeting by their access key, and what a
 * team looks at by its API key. A key is kept in memory only.
 *
 *     import { MeetingCalls, TeamCalls } from "/static/rooms.js";
 *
 *     const meeting = new MeetingCalls(accessKey);
 *     const file = await meeting.upload(input.files[0], (share) => { progress.value = share; });
 *     await meeting.present(file.links.slides[0]);
 */

/** @typedef {import("./types.js").MeetingFile} MeetingFile */
/** @typedef {import("./types.js").Recording} Recording */
/** @typedef {import("./types.js").Snapshot} Snapshot */

import { ConferenceError } from "./errors.js";

const JSON_TYPE = "application/json";

/** What a participant does, as the API's users do. Each call rejects with a `ConferenceError` whose `code` is the status. */
export class MeetingCalls {
  #base;

  /**
   * @param {string} accessKey
   * @param {string} [url] base address of the server; default: where the page came from
   */
  constructor(accessKey, url = location.origin) {
    this.#base = `${trimmed(url)}/rooms/${encodeURIComponent(accessKey)}`;
  }

  /** Nobody new gets in from now on. There is no way back. */
  async lock() {
    await this.#call("POST", "lock");
  }

  async startRecording() {
    await this.#call("POST", "recording");
  }

  async stopRecording() {
    await this.#call("DELETE", "recording");
  }

  /** A picture of everybody; `snapshot_update` tells where it is. */
  async takeSnapshot() {
    await this.#call("POST", "snapshot");
  }

  /** @returns {Promise<MeetingFile[]>} oldest first */
  async files() {
    return (await this.#call("GET", "files")).files;
  }

  /**
   * @param {File} file
   * @param {(share: number) => void} [onProgress] how much is sent, 0 to 1
   * @returns {Promise<MeetingFile>} a document becomes slides from then on, told by `files_update`
   */
  upload(file, onProgress = () => {}) {
    const form = new FormData();
    form.append("file", file);
    const request = new XMLHttpRequest(); // fetch does not tell how much of a body is sent
    request.open("POST", `${this.#base}/files`);
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0);
    return new Promise((resolve, reject) => {
      request.onload = () => (request.status < 300 ? resolve(request.response) : reject(problemOf(request.status, request.response)));
      request.onerror = () => reject(unreachable());
      request.send(form);
    });
  }

  /** @param {string} fileId */
  async deleteFile(fileId) {
    await this.#call("DELETE", `files/${encodeURIComponent(fileId)}`);
  }

  /** @param {string | null} slide its URL; null: one's screen is what is shown */
  async present(slide) {
    await this.#call("POST", "presentation", slide === null ? {} : { slide });
  }

  /** @param {string} slide */
  async changeSlide(slide) {
    await this.#call("PUT", "presentation", { slide });
  }

  async stopPresentation() {
    await this.#call("DELETE", "presentation");
  }

  /** @param {string | null} name of a layout; null: tiles for whoever is there */
  async layOut(name) {
    await this.#call("POST", "layout", name === null ? { layout: "auto" } : { layout: "auto", name });
  }

  /**
   * @param {-1 | 1} zIndex behind everything, or over it
   * @param {File | { title: string, content: string }} layer a picture, or a panel of text
   */
  async putLayer(zIndex, layer) {
    if (!(layer instanceof File)) return void (await this.#call("POST", "layers", { "z-index": zIndex, insert: layer }));
    const form = new FormData();
    form.append("z-index", String(zIndex));
    form.append("file", layer);
    await this.#call("POST", "layers", form);
  }

  /** @param {-1 | 1} zIndex */
  async removeLayer(zIndex) {
    await this.#call("DELETE", `layers/${zIndex}`);
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {FormData | Record<string, unknown>} [body]
   */
  #call(method, path, body) {
    return call(method, `${this.#base}/${path}`, {}, body);
  }
}

/** What a team asks for. */
export class TeamCalls {
  #base;
  #key;

  /**
   * @param {string} apiKey
   * @param {string} [url] base address of the server; default: where the page came from
   */
  constructor(apiKey, url = location.origin) {
    this.#base = trimmed(url);
    this.#key = apiKey;
  }

  /** @returns {Promise<{ id: string, name: string, started_at: string }[]>} rooms with a running meeting */
  rooms() {
    return this.#call("GET", "rooms");
  }

  /**
   * @param {string} roomId
   * @param {number} [page] from 1
   * @returns {Promise<Recording[]>} newest first
   */
  recordings(roomId, page = 1) {
    return this.#call("GET", `rooms/${encodeURIComponent(roomId)}/recordings?page=${page}`);
  }

  /**
   * @param {string} id
   * @returns {Promise<Recording>} with a link that is good for another hour
   */
  recording(id) {
    return this.#call("GET", `recordings/${encodeURIComponent(id)}`);
  }

  /** @param {string} id */
  async deleteRecording(id) {
    await this.#call("DELETE", `recordings/${encodeURIComponent(id)}`);
  }

  /**
   * @param {string} roomId
   * @param {number} [page] from 1
   * @returns {Promise<Snapshot[]>} newest first
   */
  snapshots(roomId, page = 1) {
    return this.#call("GET", `rooms/${encodeURIComponent(roomId)}/snapshots?page=${page}`);
  }

  /** @param {string} id */
  async deleteSnapshot(id) {
    await this.#call("DELETE", `snapshots/${encodeURIComponent(id)}`);
  }

  /** @returns {Promise<import("./types.js").Webhook | null>} */
  webhook() {
    return this.#call("GET", "webhooks");
  }

  /**
   * Replaces the one before.
   * @param {string} url
   * @param {string[]} types
   * @returns {Promise<import("./types.js").Webhook>}
   */
  register(url, types) {
    return this.#call("POST", "webhooks", { url, types });
  }

  /** @param {string} id */
  async removeWebhook(id) {
    await this.#call("DELETE", `webhooks/${encodeURIComponent(id)}`);
  }

  /**
   * @param {string} id of the webhook
   * @param {{ state?: string, page?: number }} [wanted]
   * @returns {Promise<import("./types.js").Delivery[]>} newest first
   */
  deliveries(id, { state = "", page = 1 } = {}) {
    const query = new URLSearchParams({ page: String(page), ...(state && { state }) });
    return this.#call("GET", `webhooks/${encodeURIComponent(id)}/deliveries?${query}`);
  }

  /**
   * Tells once more what was given up.
   * @param {string} id of the webhook
   * @param {string} [deliveryId] default: all
   */
  async replay(id, deliveryId) {
    const one = deliveryId ? `/deliveries/${encodeURIComponent(deliveryId)}` : "";
    return this.#call("POST", `webhooks/${encodeURIComponent(id)}${one}/replay`);
  }

  /** @returns {Promise<{ total: number, items: import("./types.js").Permalink[] }>} newest first */
  permalinks(page = 1) {
    return this.#call("GET", `permalink?page=${page}`);
  }

  /**
   * @param {string} roomName
   * @param {string} hostName
   * @returns {Promise<import("./types.js").Permalink>}
   */
  makePermalink(roomName, hostName) {
    return this.#call("POST", "permalink", { name: roomName, user: { name: hostName } });
  }

  /** @param {string} id */
  async deletePermalink(id) {
    await this.#call("DELETE", `permalink/${encodeURIComponent(id)}`);
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {Record<string, unknown>} [body]
   */
  #call(method, path, body) {
    return call(method, `${this.#base}/${path}`, { Authorization: this.#key }, body);
  }
}

/** @param {string} url */
const trimmed = (url) => url.replace(/\/$/, "");

/**
 * @param {string} method
 * @param {string} url
 * @param {Record<string, string>} headers
 * @param {FormData | Record<string, unknown>} [body]
 * @returns {Promise<any>} what the server answers, null if that is nothing
 */
async function call(method, url, headers, body) {
  const parts = body instanceof FormData;
  const sent = body && !parts ? { ...headers, "Content-Type": JSON_TYPE } : headers;
  const response = await fetch(url, { method, headers: sent, body: parts || !body ? body : JSON.stringify(body), cache: "no-store" }).catch(() => {
    throw unreachable();
  });
  const text = await response.text();
  const answer = response.headers.get("Content-Type")?.startsWith(JSON_TYPE) && text ? JSON.parse(text) : null;
  if (!response.ok) throw problemOf(response.status, answer);
  return answer;
}

/**
 * @param {number} status
 * @param {{ error?: string } | null} body
 */
function problemOf(status, body) {
  return new ConferenceError(`http_${status}`, status, body?.error || `The server answered ${status}.`);
}

function unreachable() {
  return new ConferenceError("unreachable", 0, "the server cannot be reached");
}
