/**
 * What the site that shows this page in a frame lets it use: its `allow` attribute may switch devices off.
 */

const FEATURES = { audio: "microphone", video: "camera", screen: "display-capture" };

/**
 * True also where the browser does not tell.
 * @param {keyof typeof FEATURES} what
 * @returns {boolean}
 */
export function mayUse(what) {
  const { permissionsPolicy, featurePolicy } = /** @type {any} */ (document);
  return (permissionsPolicy ?? featurePolicy)?.allowsFeature(FEATURES[what]) ?? true;
}

/** Whether this page stands in a frame of another one. */
export const embedded = parent !== window;
