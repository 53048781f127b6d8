/** The part of hls.js that is used here. */

export interface ErrorData {
  fatal: boolean;
  type: string;
  details: string;
  response?: { code?: number };
}

export interface LevelData {
  details: { live: boolean };
  networkDetails: unknown;
}

export default class Hls {
  static isSupported(): boolean;
  static readonly Events: { MANIFEST_PARSED: "hlsManifestParsed"; LEVEL_LOADED: "hlsLevelLoaded"; ERROR: "hlsError" };
  static readonly ErrorTypes: { NETWORK_ERROR: string; MEDIA_ERROR: string };
  constructor(options: Record<string, unknown>);
  readonly latency: number;
  readonly liveSyncPosition: number | null;
  readonly playingDate: Date | null;
  loadSource(url: string): void;
  attachMedia(video: HTMLMediaElement): void;
  startLoad(): void;
  recoverMediaError(): void;
  destroy(): void;
  on(event: "hlsManifestParsed", listener: () => void): void;
  on(event: "hlsLevelLoaded", listener: (event: string, data: LevelData) => void): void;
  on(event: "hlsError", listener: (event: string, data: ErrorData) => void): void;
}
