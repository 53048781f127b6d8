/**
 * Opens the conference of this page, and begins to join where nobody has to be asked, before the rest of the page has loaded.
 */

import { Conference } from "../client.js";
import { connect } from "./begun.js";
import { NAMELESS, keptName } from "./name.js";
import { readOptions } from "./options.js";

export const options = readOptions(location);
export const conference = new Conference({ credential: options.credential ?? "", key: options.key, resume: true, connect, view: options.view });
/** @type {any} */ (window).conference = conference;

const asksNobody = options.autojoin && options.credential !== null;
if (asksNobody) conference.setName(options.name || keptName() || NAMELESS);

/** Under way already, or null: then the person is asked first. */
export const joining = asksNobody ? conference.join() : null;
joining?.catch(() => {}); // told by `state`
