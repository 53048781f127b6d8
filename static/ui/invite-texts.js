/**
 * Every sentence of the page of an invite, in each language it speaks.
 */

import { translator } from "./texts.js";

/** @typedef {keyof typeof EN} TextKey */

const EN = {
  title: "Invitation",
  invited: "You are invited to {what}",
  asModerator: "as a moderator",
  asUser: "as a participant",
  register: "Create account",
  "sign-in": "Sign in",
  name: "Your name",
  email: "E-mail",
  password: "Password",
  passwordHint: "At least 6 characters.",
  accept: "Accept the invitation",
  other: "Use another account",
  welcome: "Welcome to {what}",
  chooseRoom: "Which room do you want to enter?",
  noRoom: "There is no room to enter yet. Come back by the link you will be sent.",
  wrongPassword: "The e-mail or the password is wrong.",
  emailInUse: "There is an account with this e-mail already. Sign in instead.",
  tooMany: "Too many attempts. Wait a minute.",
  invite_used: "This invitation has been used already",
  invite_usedHint: "It gives a role to one person, once. If that was you, enter by the link of the room.",
  invite_expired: "This invitation is not valid any more",
  invite_expiredHint: "It has expired or was taken back. Ask whoever sent it for a new one.",
  not_found: "There is no such invitation",
  not_foundHint: "The link may have a mistake in it. Open the whole link you were given.",
  unreachable: "The server cannot be reached",
  unreachableHint: "Check your connection, then try again.",
  server_error: "Something went wrong on the server",
  server_errorHint: "Please try again in a moment.",
};

/** @type {Record<TextKey, string>} */
const DE = {
  title: "Einladung",
  invited: "Sie sind eingeladen: {what}",
  asModerator: "zur Moderation",
  asUser: "zur Teilnahme",
  register: "Konto anlegen",
  "sign-in": "Anmelden",
  name: "Ihr Name",
  email: "E-Mail",
  password: "Passwort",
  passwordHint: "Mindestens 6 Zeichen.",
  accept: "Einladung annehmen",
  other: "Anderes Konto verwenden",
  welcome: "Willkommen: {what}",
  chooseRoom: "Welchen Raum möchten Sie betreten?",
  noRoom: "Noch gibt es keinen Raum. Kommen Sie wieder mit dem Link, den man Ihnen schickt.",
  wrongPassword: "E-Mail oder Passwort ist falsch.",
  emailInUse: "Mit dieser E-Mail gibt es schon ein Konto. Melden Sie sich an.",
  tooMany: "Zu viele Versuche. Warten Sie eine Minute.",
  invite_used: "Diese Einladung wurde schon benutzt",
  invite_usedHint: "Sie gilt für eine Person, einmal. Waren Sie das, dann kommen Sie mit dem Link des Raums hinein.",
  invite_expired: "Diese Einladung gilt nicht mehr",
  invite_expiredHint: "Sie ist abgelaufen oder wurde zurückgenommen. Bitten Sie um eine neue.",
  not_found: "Diese Einladung gibt es nicht",
  not_foundHint: "Vielleicht enthält der Link einen Fehler. Öffnen Sie den ganzen Link.",
  unreachable: "Der Server ist nicht erreichbar",
  unreachableHint: "Prüfen Sie Ihre Verbindung und versuchen Sie es noch einmal.",
  server_error: "Auf dem Server ging etwas schief",
  server_errorHint: "Bitte versuchen Sie es gleich noch einmal.",
};

export const t = translator({ en: EN, de: DE });
