/**
 * Making elements in one expression, and nothing more.
 */

/** @typedef {Record<string, any> & { class?: string, text?: string, data?: Record<string, string>, on?: Record<string, (event: any) => void> }} Props */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Props} [props] `class`, `text`, `data`, `on`; else a property if the element has one of that name, else an attribute
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  const { class: className, text, data, on, ...rest } = props;
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  if (data) Object.assign(element.dataset, data);
  for (const [type, listener] of Object.entries(on ?? {})) element.addEventListener(type, listener);
  for (const [key, value] of Object.entries(rest)) {
    if (value === undefined || value === null) continue;
    if (key in element) /** @type {any} */ (element)[key] = value;
    else element.setAttribute(key, String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/**
 * @template {Element} [T=HTMLElement]
 * @param {string} selector of an element that the page is known to have
 * @param {ParentNode} [root]
 * @returns {T}
 */
export function find(selector, root = document) {
  const element = root.querySelector(selector);
  if (!element) throw new Error(`the page has no ${selector}`);
  return /** @type {T} */ (element);
}
