/**
 * What goes on in the conference besides people talking: kept from the server's messages, asked by everybody else.
 *
 * A recording, a lock, what is presented, files and options; for a team's meeting also who one is to the Rooms API.
 */

/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").MeetingFile} MeetingFile */
/** @typedef {import("./types.js").Presentation} Presentation */
/** @typedef {import("./types.js").Recording} Recording */

export class Happening {
  /** What this participant may call the Rooms API with; null in conferences of other families. @type {string | null} */ accessKey = null;
  /** Lets guests in; null where there are none. @type {string | null} */ guestLink = null;
  /** A link to oneself, to tell the server's links from others'. @type {string | undefined} */ home = undefined;
  guest = false;
  locked = false;
  /** The one that runs, or null. @type {Recording | null} */ recording = null;
  /** @type {Presentation | null} */ presentation = null;
  /** @type {MeetingFile[]} */ files = [];
  /** @type {Record<string, any>} */ options = {};
  /** Ids of what lies behind (`-1`) and over (`1`) the common picture. @type {Record<string, string | null>} */ layers = {};

  /**
   * @param {Message} message
   * @returns {boolean} whether something is as it was not before
   */
  apply(message) {
    const read = READERS[message.type];
    read?.(this, message);
    return read !== undefined;
  }
}

/** @type {Record<string, (now: Happening, message: Message) => void>} */
const READERS = {
  room_setup: (now, { content }) => begin(now, content),
  room_ready: (now, { content }) => begin(now, content),
  room_update: (now, { content }) => takeShared(now, content),
  joined: (now, { options, recording }) => {
    now.options = options ?? now.options;
    now.recording = running(recording);
  },
  options_update: (now, { options }) => void (now.options = options),
  recording_update: (now, { recording }) => {
    if (recording.duration === null || recording.id === now.recording?.id) now.recording = running(recording);
  },
  presentation_update: (now, { presentation }) => void (now.presentation = presentation),
  files_update: (now, { files }) => void (now.files = files),
  layer_update: (now, { layers }) => void (now.layers = layers),
  lock: (now) => void (now.locked = true),
};

/**
 * @param {Happening} now
 * @param {Record<string, any>} content what the bearer of an access key is told; other families tell less
 */
function begin(now, content) {
  now.accessKey = content.access_key ?? null;
  now.guestLink = content.links?.guest_join ?? null;
  now.home = content.links?.self;
  now.guest = content.user?.guest ?? false;
  now.locked = content.locked ?? false;
  takeShared(now, content);
}

/**
 * @param {Happening} now
 * @param {Record<string, any>} content
 */
function takeShared(now, { options, recording, presentation }) {
  now.options = options ?? now.options;
  now.recording = running(recording);
  now.presentation = presentation ?? null;
}

/** @param {Recording | null | undefined} recording */
function running(recording) {
  return recording && recording.duration === null ? recording : null;
}
