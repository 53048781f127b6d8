/**
 * From the browser's raw reports to numbers per stream and second.
 *
 * `Sampler` keeps the report before, so that counters become rates. Which report belongs to which stream is told by the caller, by mid.
 */

/** @typedef {import("./types.js").TrackStats} TrackStats */
/** @typedef {import("./types.js").StreamStats} StreamStats */
/** @typedef {import("./types.js").ConnectionStats} ConnectionStats */
/** @typedef {import("./types.js").Side} Side */
/** @typedef {Record<string, any>} Report */

/**
 * @typedef {object} Tracked a stream and the sections that carry it
 * @property {string} streamId
 * @property {string} userId
 * @property {string} label
 * @property {"send" | "receive"} direction
 * @property {{ mid: string | null, trackId: string | null } | null} audio
 * @property {{ mid: string | null, trackId: string | null } | null} video
 */

/** Rates need a report to compare with: one sampler for each peer connection. */
export class Sampler {
  /** @type {Map<string, Report>} */ #before = new Map();
  /** @type {Map<string, Report>} */ #now = new Map();
  /** @type {RTCPeerConnection | null} */ #pc = null;

  /** @param {RTCPeerConnection | null} pc */
  async sample(pc) {
    if (pc !== this.#pc) this.#now = new Map();
    this.#pc = pc;
    this.#before = this.#now;
    this.#now = pc && pc.connectionState !== "closed" ? new Map(/** @type {any} */ (await pc.getStats())) : new Map();
  }

  /**
   * @param {Tracked} tracked
   * @returns {Omit<StreamStats, "way">}
   */
  stream(tracked) {
    const type = tracked.direction === "send" ? "outbound-rtp" : "inbound-rtp";
    const audio = this.#tracks(type, "audio", tracked.audio)[0] ?? null;
    const layers = this.#tracks(type, "video", tracked.video).sort((a, b) => b.width - a.width || b.bitrate - a.bitrate);
    const video = layers.find((layer) => layer.bitrate > 0) ?? layers[0] ?? null;
    const { streamId, userId, label, direction } = tracked;
    return {
      ...{ streamId, userId, label, direction, audio, video },
      layers: direction === "send" ? layers : [],
      bitrate: layers.reduce((sum, layer) => sum + layer.bitrate, audio?.bitrate ?? 0),
      width: video?.width ?? 0,
      height: video?.height ?? 0,
      fps: video?.fps ?? 0,
      loss: Math.max(audio?.loss ?? 0, ...layers.map((layer) => layer.loss)),
      jitter: Math.max(audio?.jitter ?? 0, ...layers.map((layer) => layer.jitter)),
      roundTrip: video?.roundTrip ?? audio?.roundTrip ?? this.#pair()?.currentRoundTripTime ?? null,
      layer: video ? (video.rid ?? (video.width ? `${video.width}x${video.height}` : null)) : null,
    };
  }

  /**
   * @param {Side | "direct"} side
   * @param {string | null} [userId] at the other end, if that is not the server
   * @returns {ConnectionStats | null}
   */
  connection(side, userId = null) {
    if (!this.#pc) return null;
    const pair = this.#pair();
    const transport = this.#all("transport")[0];
    const local = this.#now.get(pair?.localCandidateId);
    const remote = this.#now.get(pair?.remoteCandidateId);
    return {
      pc: side,
      userId,
      state: this.#pc.connectionState,
      roundTrip: pair?.currentRoundTripTime ?? null,
      availableOutgoing: pair?.availableOutgoingBitrate ?? null,
      bitrateIn: pair ? this.#rate(pair, "bytesReceived") * 8 : 0,
      bitrateOut: pair ? this.#rate(pair, "bytesSent") * 8 : 0,
      protocol: local?.protocol ?? null,
      local: addressOf(local),
      remote: addressOf(remote),
      dtls: transport?.tlsVersion ? `${TLS_VERSIONS[transport.tlsVersion] ?? transport.tlsVersion} ${transport.srtpCipher ?? ""}`.trim() : null,
    };
  }

  /**
   * @param {string} type
   * @param {"audio" | "video"} kind
   * @param {{ mid: string | null, trackId: string | null } | null} section
   * @returns {TrackStats[]} one, or one for each simulcast layer
   */
  #tracks(type, kind, section) {
    if (!section) return [];
    return this.#all(type)
      .filter((report) => report.kind === kind && belongs(report, section, this.#now))
      .map((report) => this.#track(kind, report));
  }

  /**
   * @param {"audio" | "video"} kind
   * @param {Report} report
   * @returns {TrackStats}
   */
  #track(kind, report) {
    const sent = report.type === "outbound-rtp";
    const far = sent ? this.#all("remote-inbound-rtp").find((other) => other.localId === report.id) : null;
    const packets = this.#delta(report, sent ? "packetsSent" : "packetsReceived");
    const lost = Math.max(0, this.#delta(report, "packetsLost"));
    return {
      kind,
      rid: report.rid ?? null,
      codec: this.#now.get(report.codecId)?.mimeType?.split("/")[1] ?? null,
      bitrate: this.#rate(report, sent ? "bytesSent" : "bytesReceived") * 8,
      packetRate: this.#rate(report, sent ? "packetsSent" : "packetsReceived"),
      width: report.frameWidth ?? 0,
      height: report.frameHeight ?? 0,
      fps: report.framesPerSecond ?? this.#rate(report, sent ? "framesEncoded" : "framesDecoded"),
      loss: sent ? Math.max(0, far?.fractionLost ?? 0) : packets + lost > 0 ? lost / (packets + lost) : 0,
      jitter: (sent ? far?.jitter : report.jitter) ?? 0,
      roundTrip: far?.roundTripTime ?? null,
      packetsLost: (sent ? far?.packetsLost : report.packetsLost) ?? 0,
      frames: (sent ? report.framesEncoded : report.framesDecoded) ?? 0,
      keyFrames: (sent ? report.keyFramesEncoded : report.keyFramesDecoded) ?? 0,
      freezes: report.freezeCount ?? 0,
      nacks: report.nackCount ?? 0,
      plis: report.pliCount ?? 0,
      limitation: report.qualityLimitationReason && report.qualityLimitationReason !== "none" ? report.qualityLimitationReason : null,
    };
  }

  /** @returns {Report | undefined} the candidate pair in use */
  #pair() {
    const chosen = this.#all("transport")[0]?.selectedCandidatePairId;
    return this.#now.get(chosen) ?? this.#all("candidate-pair").find((pair) => pair.nominated && pair.state === "succeeded");
  }

  /** @param {string} type */
  #all(type) {
    return [...this.#now.values()].filter((report) => report.type === type);
  }

  /**
   * @param {Report} report
   * @param {string} field
   */
  #delta(report, field) {
    const before = this.#before.get(report.id)?.[field];
    return before === undefined || report[field] === undefined ? 0 : report[field] - before;
  }

  /**
   * @param {Report} report
   * @param {string} field
   * @returns {number} per second
   */
  #rate(report, field) {
    const elapsed = (report.timestamp - (this.#before.get(report.id)?.timestamp ?? report.timestamp)) / 1000;
    return elapsed > 0 ? Math.max(0, this.#delta(report, field) / elapsed) : 0;
  }
}

/** @type {Record<string, string>} as the browser tells them */
const TLS_VERSIONS = { FEFF: "DTLS 1.0", FEFD: "DTLS 1.2", FEFC: "DTLS 1.3" };

/**
 * @param {Report} report
 * @param {{ mid: string | null, trackId: string | null }} section
 * @param {Map<string, Report>} all
 */
function belongs(report, { mid, trackId }, all) {
  if (report.mid !== undefined) return report.mid === mid;
  const identifier = report.trackIdentifier ?? all.get(report.mediaSourceId)?.trackIdentifier;
  return identifier !== undefined && identifier === trackId;
}

/** @param {Report | undefined} candidate */
function addressOf(candidate) {
  if (!candidate) return null;
  return `${candidate.address ?? candidate.ip ?? "hidden"}:${candidate.port} ${candidate.candidateType}`;
}

/**
 * How good a stream is to look at and listen to, from what can be measured here.
 * @param {{ loss: number, jitter: number, roundTrip: number | null }} measured
 * @returns {number} 1 (bad) to 5 (perfect)
 */
export function scoreOf({ loss, jitter, roundTrip }) {
  const penalty = Math.min(2.5, loss * 25) + Math.min(1, Math.max(0, jitter - 0.02) * 15) + Math.min(1.5, Math.max(0, (roundTrip ?? 0) - 0.15) * 4);
  return Math.max(1, 5 - penalty);
}
