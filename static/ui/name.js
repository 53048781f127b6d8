/**
 * The name a person has joined with last, kept in this browser.
 */

const KEY = "folkmoot.name";
export const NAMELESS = "Guest";

export function keptName() {
  try {
    return localStorage.getItem(KEY) ?? "";
  } catch {
    return ""; // storage may be forbidden
  }
}

/** @param {string} name */
export function keepName(name) {
  try {
    localStorage.setItem(KEY, name);
  } catch {
    // then it is asked for again next time
  }
}
