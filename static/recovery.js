/**
 * When one peer connection needs an ICE restart, and when it has to be made anew.
 *
 * Watches states and a deadline and calls `restart` or `rebuild` of its owner; how these are signalled is the owner's.
 * A restart that does not help is tried once more, then the connection is rebuilt, then the round begins again.
 */

const DISCONNECTED_FOR = 2; // seconds "disconnected" lasts before it counts: short losses heal by themselves
const CONNECT_WITHIN = 10; // seconds for a new connection
const RESTART_WITHIN = 5; // seconds for a restart to bring media back
const RESTARTS_BEFORE_REBUILD = 2;

/**
 * @typedef {object} RecoveryOwner
 * @property {() => void} restart
 * @property {() => void} rebuild
 * @property {() => boolean} canSignal
 * @property {(broken: boolean) => void} onChange
 */

export class Recovery {
  /** @type {RTCPeerConnection | null} */ #pc = null;
  #owner;
  #timer = 0;
  #tries = 0;
  #waitsForSignaling = false;
  #broken = false;

  /** @param {RecoveryOwner} owner */
  constructor(owner) {
    this.#owner = owner;
  }

  /** Whether media is known to be interrupted. */
  get broken() {
    return this.#broken;
  }

  /**
   * Watches `pc` from now on instead of the one before.
   * @param {RTCPeerConnection} pc
   */
  watch(pc) {
    this.#pc = pc;
    pc.addEventListener("connectionstatechange", () => pc === this.#pc && this.#changed(pc));
    pc.addEventListener("iceconnectionstatechange", () => pc === this.#pc && this.#changed(pc));
    this.#arm(CONNECT_WITHIN);
  }

  stop() {
    this.#pc = null;
    this.#tries = 0;
    clearTimeout(this.#timer);
    this.#mark(false);
  }

  /** The network has changed: restarts without waiting for the connection to notice. */
  nudge() {
    if (this.#pc && this.#pc.remoteDescription) this.#act("restart");
  }

  /** Messages can be sent again. */
  signalingBack() {
    const pc = this.#pc;
    if (!pc) return;
    this.#tries = 0; // those of before may not have reached the server
    if (this.#waitsForSignaling || pc.connectionState === "failed" || pc.connectionState === "disconnected") this.#attempt();
  }

  /** @param {RTCPeerConnection} pc */
  #changed(pc) {
    if (pc.connectionState === "connected") return this.#healed();
    if (pc.connectionState === "failed") {
      const iceLives = pc.iceConnectionState === "connected" || pc.iceConnectionState === "completed";
      if (iceLives) this.#tries = RESTARTS_BEFORE_REBUILD; // then DTLS has failed, and no restart mends it
      else if (this.#tries > 0) return; // a restart is under way and has its deadline
      return this.#attempt();
    }
    if (pc.connectionState === "disconnected") this.#arm(DISCONNECTED_FOR);
  }

  #healed() {
    clearTimeout(this.#timer);
    this.#tries = 0;
    this.#waitsForSignaling = false;
    this.#mark(false);
  }

  /** @param {number} seconds */
  #arm(seconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#attempt(), seconds * 1000);
  }

  #attempt() {
    if (!this.#pc) return;
    if (this.#pc.connectionState === "connected") return this.#healed();
    this.#mark(true);
    this.#waitsForSignaling = !this.#owner.canSignal();
    if (this.#waitsForSignaling) return clearTimeout(this.#timer);
    this.#tries += 1;
    if (this.#tries <= RESTARTS_BEFORE_REBUILD) return this.#act("restart");
    this.#tries = 0;
    this.#act("rebuild");
  }

  /** @param {"restart" | "rebuild"} what */
  #act(what) {
    this.#arm(what === "restart" ? RESTART_WITHIN : CONNECT_WITHIN);
    this.#owner[what]();
  }

  /** @param {boolean} broken */
  #mark(broken) {
    if (broken === this.#broken) return;
    this.#broken = broken;
    this.#owner.onChange(broken);
  }
}
