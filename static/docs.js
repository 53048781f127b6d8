/**
 * The page that shows the description of the API: reads openapi.json, lists every operation, filters them.
 *
 * It knows as much of OpenAPI 3.1 as our own server writes. Whatever it shows is put in as text.
 */

import { find, h } from "./ui/dom.js";
import { FAMILIES } from "./ui/families.js";
import { logo } from "./ui/icons.js";

/**
 * @typedef {Record<string, any>} Schema
 * @typedef {{ method: string, path: string, tag: string, id: string, operation: Record<string, any> }} Entry
 */

const filter = /** @type {HTMLInputElement} */ (find("#filter"));
const status = find("#status");

/** @param {Record<string, any>} document_ @returns {Entry[]} */
function entries(document_) {
  const found = [];
  for (const [path, methods] of Object.entries(document_.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      found.push({ method, path, tag: operation.tags[0], id: operation.operationId, operation });
    }
  }
  return found;
}

/** The schema itself where only its name is given. @param {Record<string, any>} document_ @param {Schema} schema */
function resolve(document_, schema) {
  if (!schema.$ref) return schema;
  return document_.components.schemas[schema.$ref.split("/").pop()];
}

/** A type in words. @param {Schema} schema @returns {string} */
function kind(schema) {
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return [...new Set(schema.anyOf.map(kind))].join(" or ");
  if (schema.enum) return schema.enum.map((/** @type {unknown} */ value) => JSON.stringify(value)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.type === "array") return `list of ${kind(schema.items)}`;
  return `${schema.type ?? "anything"}${bounds(schema)}`;
}

/** @param {Schema} schema */
function bounds(schema) {
  if (schema.minimum !== undefined) return ` from ${schema.minimum} to ${schema.maximum}`;
  if (schema.maxLength !== undefined) return ` of at most ${schema.maxLength} characters`;
  return schema.pattern ? " of digits" : "";
}

/** @param {{ name: string, schema: Schema, required: boolean, about?: string }[]} described */
function fields(described) {
  return h("dl", { class: "fields" }, ...described.map(({ name, schema, required, about }) => {
    const initial = schema.default === undefined || schema.default === null ? "" : `, by default ${JSON.stringify(schema.default)}`;
    return h("div", {},
      h("dt", {}, h("code", { text: name }), required && h("span", { class: "required", text: "required" })),
      h("dd", {}, h("span", { class: "kind", text: kind(schema) + initial }), about ? ` – ${about}` : null));
  }));
}

/**
 * The fields of an object and of those within it, `room.id` and `data[].id`.
 * @param {Record<string, any>} document_ @param {Schema} reference @param {boolean} asked whether it is what a caller sends
 * @param {string} [above]
 * @returns {{ name: string, schema: Schema, required: boolean, about?: string }[]}
 */
function rows(document_, reference, asked, above = "") {
  const whole = resolve(document_, reference);
  const schema = whole.items ? resolve(document_, whole.items) : whole;
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const inner = field.$ref ?? field.items?.$ref;
    if (inner) return rows(document_, { $ref: inner }, asked, `${above}${name}${field.items ? "[]" : ""}.`);
    const about = field.description ?? (asked || required.has(name) ? undefined : "left out when not set");
    return [{ name: above + name, schema: field, required: asked && required.has(name), about }];
  });
}

/**
 * How a credential travels, as a header.
 * @param {Record<string, any>} scheme of OpenAPI
 */
const header = (scheme) => (scheme.scheme === "bearer" ? "Authorization: Bearer <token>" : `${scheme.name}: <key>`);

/** @param {Record<string, any>} scheme */
const headerName = (scheme) => scheme.name ?? "Authorization";

/**
 * The media type of a body and what it consists of; nothing of it for one that is no JSON.
 * @param {{ content?: Record<string, { schema: Schema }> } | undefined} described
 */
function bodyOf(described) {
  const [type, { schema } = { schema: undefined }] = Object.entries(described?.content ?? {})[0] ?? [];
  return { type, schema: type?.endsWith("json") ? schema : undefined };
}

/** @param {Entry} entry @param {string} credential */
function curl({ method, path, operation }, credential) {
  const query = (operation.parameters ?? []).filter((/** @type {any} */ one) => one.in === "query" && one.required);
  const search = query.length ? `?${query.map((/** @type {any} */ one) => `${one.name}=…`).join("&")}` : "";
  const lines = [`curl -X ${method.toUpperCase()} '${location.origin}${path}${search}'`];
  if (credential) lines.push(`-H '${credential}'`);
  const { type, schema } = bodyOf(operation.requestBody);
  if (type) lines.push(`-H 'Content-Type: ${type}'`, schema ? "-d '{}'" : "--data-binary @-");
  return lines.join(" \\\n  ");
}

/** @param {string} text */
function example(text) {
  const button = h("button", { class: "button button-quiet button-small", type: "button", text: "Copy" });
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  return h("div", { class: "example" }, h("pre", { tabIndex: 0 }, h("code", { text })), button);
}

/** @param {Record<string, any>} document_ @param {Entry} entry */
function responses(document_, { operation }) {
  return h("div", { class: "responses" }, ...Object.entries(operation.responses).map(([code, response]) => {
    const { schema } = bodyOf(response);
    return h("details", {},
      h("summary", {},
        h("span", { class: "status", text: code, data: { good: String(code.startsWith("2")) } }), ` ${response.description}`),
      schema ? fields(rows(document_, schema, false)) : null);
  }));
}

/** @param {string} method */
const badge = (method) => h("span", { class: "method", text: method.toUpperCase(), data: { method } });

/**
 * How an operation's credential travels; nothing for what is open to everybody.
 * @param {Record<string, any>} document_ @param {Entry} entry
 */
function schemeOf(document_, { operation }) {
  const [name] = Object.keys(operation.security?.[0] ?? {});
  return name ? document_.components.securitySchemes[name] : undefined;
}

/** @param {Record<string, any>} document_ @param {Entry} entry */
function section(document_, entry) {
  const { method, path, id, operation } = entry;
  const scheme = schemeOf(document_, entry);
  const parameters = (operation.parameters ?? []).map((/** @type {any} */ one) => ({
    name: one.name, schema: one.schema, required: one.required, about: one.description,
  }));
  const body = bodyOf(operation.requestBody);
  return h("article", { class: "operation", id },
    h("h3", { class: "operation-head" }, badge(method), h("code", { text: path })),
    h("p", { class: "operation-summary", text: operation.summary }),
    ...(parameters.length ? [h("h4", { text: "Parameters" }), fields(parameters)] : []),
    ...(body.schema ? [h("h4", { text: "Body, JSON" }), fields(rows(document_, body.schema, true))] : []),
    ...(body.type && !body.schema ? [h("h4", { text: `Body, ${body.type}` })] : []),
    h("h4", { text: "Answers" }), responses(document_, entry),
    h("h4", { text: "Try it" }), example(curl(entry, scheme ? header(scheme) : "")));
}

/** @param {string} name of a family */
function whomFor(name) {
  const family = FAMILIES[name];
  return family && h("p", { class: "docs-audience" }, h("strong", { text: `For ${lowered(family.audience)}.` }), ` ${family.text}`);
}

/** @param {string} sentence */
const lowered = (sentence) => sentence.charAt(0).toLowerCase() + sentence.slice(1);

/** @param {Record<string, any>} document_ */
function show(document_) {
  const all = entries(document_);
  find("#version").textContent = document_.info.version;
  for (const { name, description } of document_.tags) {
    const own = all.filter((entry) => entry.tag === name);
    const scheme = own.map((entry) => schemeOf(document_, entry)).find(Boolean) ?? {};
    find("#nav").append(h("section", {}, h("h2", {}, h("a", { class: "docs-nav-family", href: `#family-${name}`, text: description })),
      ...own.map((entry) => h("a", { href: `#${entry.id}` }, badge(entry.method), h("span", { text: entry.operation.summary })))));
    find("#operations").append(
      h("div", { class: "docs-family-head", id: `family-${name}` },
        h("h2", { class: "docs-family", text: description }),
        whomFor(name),
        h("p", { class: "docs-credential" }, "Every request carries its key in the header ", h("code", { text: headerName(scheme) }), ".")),
      ...own.map((entry) => section(document_, entry)));
  }
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

/** Leaves what has every word of the filter in it. */
function narrow() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  const has = (/** @type {Element} */ element) => words.every((word) => element.textContent?.toLowerCase().includes(word));
  let shown = 0;
  for (const article of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".operation"))) {
    article.hidden = !has(article);
    shown += Number(!article.hidden);
    find(`.docs-nav a[href="#${article.id}"]`).hidden = article.hidden;
  }
  status.hidden = shown > 0;
  status.textContent = "Nothing has all of these words.";
}

filter.addEventListener("input", narrow);
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== filter && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    filter.focus();
  }
  if (event.key === "Escape" && document.activeElement === filter) {
    filter.value = "";
    narrow();
  }
});

find("#brand").prepend(logo());
try {
  const response = await fetch("/openapi.json");
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  show(await response.json());
  status.hidden = true;
} catch (error) {
  status.textContent = `The description could not be loaded: ${error instanceof Error ? error.message : error}.`;
} finally {
  find("#operations").removeAttribute("aria-busy");
}
