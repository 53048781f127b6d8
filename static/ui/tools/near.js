/**
 * Links that the server has made, as this page can follow them: the server may know itself by another name than the browser does.
 */

/**
 * @param {string} link
 * @param {string} [own] any link of the server's own, to tell its links from others'
 * @returns {string} on the page's own origin, if it is the server's
 */
export function near(link, own = link) {
  const address = new URL(link, location.href);
  return address.origin === new URL(own, location.href).origin ? address.pathname + address.search : link;
}
