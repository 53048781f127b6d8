/**
 * The page in the place of a room or an invite that there is not.
 */

import { find } from "./ui/dom.js";
import { icon, logo } from "./ui/icons.js";
import { readOptions } from "./ui/options.js";
import { embedded } from "./ui/policy.js";
import { speak, t } from "./ui/texts.js";

await speak(readOptions(location).lang);
document.title = `${t("missing")} – Folkmoot`;
find("#brand").prepend(logo());
find("#sign").append(icon("warning"));
find("#heading").textContent = t("missing");
find("#hint").textContent = t("missingHint");
find("#start").textContent = t("toStart");
find("#start").hidden = embedded; // the start page stands in no frame
if (embedded) parent.postMessage({ source: "conference", type: "error", reason: "not_found" }, "*");
