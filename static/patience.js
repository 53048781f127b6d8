/**
 * How long sound and picture wait before they are played, on a line that loses packets: until what was lost can have come once more.
 *
 * Browsers wait as long as packets are late on their own. A repetition comes a round trip later; on a long line that is too late, so
 * what was lost would be made up and pictures left out, although everything comes in the end. Where nothing is lost nothing waits.
 */

const LOOK_EVERY = 2; // seconds
const LOSSY = 0.5; // requests for lost packets a second
const LONG = 0.08; // seconds of round trip: shorter ones browsers bridge themselves
const ROUND_TRIPS = 1.5; // that are waited: one for the repetition, and what it takes to be noticed
const LONGEST = 0.5; // seconds: nobody likes to talk over more
const REMEMBERED = 10; // looks without loss, until nothing waits any more

export class Patience {
  /** @type {RTCPeerConnection | null} */ #pc = null;
  #timer = 0;
  #nacks = 0;
  #calm = REMEMBERED;

  /** @param {RTCPeerConnection} pc on which things are received */
  watch(pc) {
    this.stop();
    this.#pc = pc;
    this.#nacks = 0;
    this.#calm = REMEMBERED;
    this.#timer = setInterval(() => this.#look(pc), LOOK_EVERY * 1000);
  }

  stop() {
    clearInterval(this.#timer);
    this.#pc = null;
  }

  /** @param {RTCPeerConnection} pc */
  async #look(pc) {
    const { nacks, roundTrip } = told(await pc.getStats());
    if (pc !== this.#pc) return;
    const lossy = nacks - this.#nacks > LOSSY * LOOK_EVERY && roundTrip > LONG;
    this.#nacks = nacks;
    this.#calm = lossy ? 0 : this.#calm + 1;
    if (lossy) this.#wait(pc, Math.min(ROUND_TRIPS * roundTrip, LONGEST));
    else if (this.#calm === REMEMBERED) this.#wait(pc, null);
  }

  /**
   * @param {RTCPeerConnection} pc
   * @param {number | null} seconds at least; null: as the browser thinks fit
   */
  #wait(pc, seconds) {
    for (const receiver of /** @type {any[]} */ (pc.getReceivers())) {
      if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = seconds && Math.round(seconds * 1000);
    }
  }
}

/** @param {RTCStatsReport} stats */
function told(stats) {
  const found = { nacks: 0, roundTrip: 0 };
  stats.forEach((report) => {
    if (report.type === "inbound-rtp") found.nacks += report.nackCount ?? 0;
    if (report.type === "candidate-pair" && report.nominated) found.roundTrip = report.currentRoundTripTime ?? 0;
  });
  return found;
}
