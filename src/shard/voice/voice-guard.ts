// What the voice drivers ask before they connect anywhere: may this endpoint be dialled, and at which
// address; may this UDP address be sent to. The shard hands in the real one, made over source/guard.ts.
// Types only; runs nowhere.

/** An endpoint that was allowed, with the one address that may be dialled for it. */
export interface VoiceTarget {
  /** Host name or literal address without brackets; the certificate is checked against it. */
  readonly host: string;
  readonly port: number;
  readonly address: string;
  readonly family: 4 | 6;
}

export interface VoiceGuard {
  /**
   * Checks `endpoint` ("host:port") against the allowed patterns and resolves it once.
   * Rejects with PUM_VOICE_ENDPOINT, PUM_SOURCE_REFUSED or PUM_SOURCE_RESOLVE.
   */
  resolve(endpoint: string, signal: AbortSignal): Promise<VoiceTarget>;
  /** Whether the voice server behind `endpoint` may name `address` as the place for audio. */
  udpAllowed(endpoint: string, address: string): boolean;
}
