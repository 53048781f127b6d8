/**
 * Every sentence of the conference page: here in English; other languages are files of their own, loaded where they are spoken.
 */

/** @typedef {keyof typeof EN} TextKey */

const EN = {
  title: "Meeting",
  ready: "Ready to join?",
  readyHint: "Check how you look and sound.",
  listenHint: "You watch and listen. A moderator can let you speak.",
  listening: "Listening",
  nowSpeaker: "You may speak now: turn on your microphone or camera",
  nowListener: "You watch and listen from now on",
  yourName: "Your name",
  namePlaceholder: "How others see you",
  microphone: "Microphone",
  camera: "Camera",
  speakers: "Speakers",
  systemDefault: "System default",
  level: "Microphone level",
  join: "Join now",
  joining: "Joining…",
  cameraIsOff: "Your camera is off",
  cameraStarting: "Starting your camera…",
  muteOn: "Turn microphone off",
  muteOff: "Turn microphone on",
  cameraOn: "Turn camera off",
  cameraOff: "Turn camera on",
  share: "Share your screen",
  shareStop: "Stop sharing",
  sharing: "You are sharing your screen",
  handRaise: "Raise hand",
  handLower: "Lower hand",
  chat: "Chat",
  people: "People",
  settings: "Settings",
  layout: "Change layout",
  shortcuts: "Keyboard shortcuts",
  leave: "Leave",
  copyLink: "Copy link",
  linkCopied: "Link copied",
  close: "Close",
  cancel: "Cancel",
  you: "you",
  alone: "You are the first one here",
  aloneHint: "Send the link to the people you want to meet.",
  aloneNoLink: "The others will appear here when they join.",
  encrypted: "End-to-end encrypted",
  recorded: "Recording",
  locked: "Locked",
  lockedHint: "Nobody new can come in",
  everybody: "Everybody",
  film: "Film",
  slidesOf: "{name} presents",
  encryptedHint: "Pictures and sound go directly from each person to each other; the server cannot see or hear them.",
  encryptedKey: "Only people with the key in this link can see and hear what is sent. The server passes it on and cannot.",
  safetyHint: "Read this number to each other. If it is the same for everybody, nobody stands in between.",
  byServer: "The meeting goes by the server now: it is encrypted on the way, but no longer from end to end",
  reconnecting: "Connecting again…",
  reconnected: "You are back",
  weakLine: "Your connection is weak",
  soundBlocked: "Your browser holds the sound back",
  soundAllow: "Turn sound on",
  chatEmpty: "No messages yet",
  chatEmptyHint: "What you write here is seen by everyone in the meeting.",
  chatPlaceholder: "Write to everyone",
  chatSend: "Send",
  chatFailed: "Your message was not sent. Try again.",
  muteSomebody: "Mute {name}",
  removeSomebody: "Remove {name}",
  muteAll: "Mute everyone else",
  pin: "Pin {name}",
  unpin: "Unpin {name}",
  moderator: "Moderator",
  listener: "Listener",
  guest: "Guest",
  joined: "{name} joined",
  left: "{name} left",
  raised: "{name} raised a hand",
  mutedByOther: "You were muted",
  screenOf: "{name}’s screen",
  microphoneOff: "microphone off",
  speaking: "speaking",
  connectionGood: "Good connection",
  connectionFair: "Fair connection",
  connectionPoor: "Poor connection",
  problem_audio_NotAllowedError: "The browser may not use your microphone. Allow it in the address bar, or join without.",
  problem_video_NotAllowedError: "The browser may not use your camera. Allow it in the address bar, or join without.",
  problem_audio_NotFoundError: "No microphone was found. You can join and listen.",
  problem_video_NotFoundError: "No camera was found. Others will see your name instead.",
  problem_audio_NotReadableError: "Another program is using the microphone.",
  problem_video_NotReadableError: "Another program is using the camera.",
  problem_audio_SecurityError: "Microphones work on secure pages (https) only. You can join and listen.",
  problem_video_SecurityError: "Cameras work on secure pages (https) only. You can join and watch.",
  problem_audio_PolicyError: "The site around this meeting has switched the microphone off. You can join and listen.",
  problem_video_PolicyError: "The site around this meeting has switched the camera off. Others will see your name instead.",
  problem_audio: "The microphone could not be started.",
  problem_video: "The camera could not be started.",
  end_left: "You left the meeting",
  end_leftHint: "Come back any time while it goes on.",
  end_kicked: "You were removed from the meeting",
  end_kickedHint: "A moderator has ended your part in it.",
  end_ended: "The meeting is over",
  end_endedHint: "It has ended for everyone.",
  end_room_deleted: "The meeting is over",
  end_room_deletedHint: "Its room has been deleted.",
  end_replaced: "You joined from somewhere else",
  end_replacedHint: "This page has handed over to the other one.",
  end_access_revoked: "Your access has ended",
  end_access_revokedHint: "Ask whoever invited you for a new link.",
  error_no_credential: "This link is incomplete",
  error_no_credentialHint: "Open the whole link you were given, or ask for a new one.",
  error_key_missing: "This link lacks its key",
  error_key_missingHint: "The meeting is end-to-end encrypted. Open the whole link, up to its very end.",
  error_encryption_unsupported: "This browser cannot encrypt meetings",
  error_encryption_unsupportedHint: "The meeting is end-to-end encrypted. Use a current browser.",
  error_malformed: "This link does not work",
  error_malformedHint: "The server could not read it. Ask for a new one.",
  error_forbidden: "This link is not valid any more",
  error_forbiddenHint: "It may have expired. Ask whoever invited you for a new one.",
  error_private_room: "This room is private",
  error_private_roomHint: "You need a link of your own to come in. Ask whoever invited you.",
  error_access_used: "This link has been used already",
  error_access_usedHint: "It lets one person in, once. Ask whoever sent it for a new one.",
  error_access_expired: "This link has expired",
  error_access_expiredHint: "Its time is over. Ask whoever sent it for a new one.",
  error_not_found: "This meeting does not exist",
  error_not_foundHint: "It may be over, or the link has a mistake in it.",
  error_room_full: "The meeting is full",
  error_room_fullHint: "Try again when somebody has left.",
  error_already_online: "You are in this meeting already",
  error_already_onlineHint: "Close the other page first, then try again.",
  error_ended: "The meeting has ended",
  error_endedHint: "Its link cannot be used again.",
  error_locked: "The meeting is locked",
  error_lockedHint: "Ask somebody inside to let you in.",
  error_message_too_long: "The server closed the connection",
  error_message_too_longHint: "Something sent was larger than it takes. Join again to go on.",
  error_unreachable: "The server cannot be reached",
  error_unreachableHint: "Check your connection, then try again.",
  error_server_failure: "Something went wrong on the server",
  error_server_failureHint: "Please try again in a moment.",
  tryAgain: "Try again",
  rejoin: "Join again",
  toStart: "To the start page",
  missing: "This link leads nowhere",
  missingHint: "It may have a mistake in it, or what it led to has been deleted. Ask whoever sent it for a new one.",
  key_m: "Microphone on or off",
  key_v: "Camera on or off",
  key_space: "Talk while held down",
  key_s: "Share your screen",
  key_h: "Raise or lower your hand",
  key_c: "Chat",
  key_p: "People",
  key_g: "Change layout",
  key_help: "This list",
  key_esc: "Close what is open",
  spaceKey: "Space",
};

/** @type {Record<TextKey, string>} */
let texts = EN;

/**
 * To be called, and waited for, before the first text is asked for.
 * @param {string} lang e.g. `de` or `en-GB`; unknown ones are English
 */
export async function speak(lang) {
  const german = lang.toLowerCase().startsWith("de");
  texts = german ? (await import("./texts-de.js")).DE : EN;
  document.documentElement.lang = german ? "de" : "en";
}

/**
 * @param {TextKey} key
 * @param {Record<string, string>} [values] for the `{names}` in it
 */
export function t(key, values = {}) {
  return fill(texts[key], values);
}

/**
 * `t` for a part of the page that brings texts of its own.
 * @template {string} K
 * @param {{ en: Record<K, string>, de: Record<K, string> }} own
 * @returns {(key: K, values?: Record<string, string>) => string}
 */
export function translator(own) {
  return (key, values = {}) => fill(own[document.documentElement.lang === "de" ? "de" : "en"][key], values);
}

/**
 * @param {string} text
 * @param {Record<string, string>} values
 */
function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** @type {Record<string, string>} other names for the same refusal */
const ALIASES = {
  unauthorized: "no_credential",
  invalid_token: "forbidden",
  token_expired: "forbidden",
  conference_full: "room_full",
  full: "room_full",
  gone: "ended",
  bad_request: "malformed",
  internal: "server_failure",
};

/**
 * Why it is over, in a heading and a sentence.
 * @param {"end" | "error"} kind
 * @param {string} reason name of a refusal or of an end
 * @param {number} [code] HTTP-like, for names not known here
 * @returns {{ heading: string, hint: string }}
 */
export function farewell(kind, reason, code = 0) {
  const byCode = /** @type {Record<number, string>} */ ({ 400: "malformed", 401: "no_credential", 403: "forbidden", 404: "not_found", 409: "already_online", 410: "ended", 423: "locked" })[code];
  const name = [reason, ALIASES[reason], byCode, kind === "end" ? "ended" : "server_failure"].find((known) => known && `${kind}_${known}` in EN);
  return { heading: t(/** @type {TextKey} */ (`${kind}_${name}`)), hint: t(/** @type {TextKey} */ (`${kind}_${name}Hint`)) };
}

/**
 * @param {"audio" | "video"} kind
 * @param {string} name of the browser's error
 */
export function problemText(kind, name) {
  const exact = `problem_${kind}_${name}`;
  return t(/** @type {TextKey} */ (exact in EN ? exact : `problem_${kind}`));
}
