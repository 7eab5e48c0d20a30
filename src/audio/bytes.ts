// Bytes from anywhere, as the demuxer wants them: by offset, bounded, abortable. Sources (src/shard/source)
// implement it; nothing in src/audio opens a socket or a file.

export interface ByteSource {
  /** Total bytes, or null when the far end does not say (live, chunked). */
  readonly size: number | null;
  /** Whether an offset behind the last one read may be asked for, at the cost of a new request at most. */
  readonly seekable: boolean;
  /**
   * Up to `length` bytes from `offset`, at least one unless the end is reached; null at or past the end.
   * They are good until the next call. Rejects with a ServerError (PUM_SOURCE_*) when the far end fails for good, or with the signal's reason.
   */
  read(offset: number, length: number, signal: AbortSignal): Promise<Uint8Array | null>;
  /** Lets go of sockets and files; a read under way rejects. Harmless when closed already. */
  close(): void;
}

/** What the opener already knows about the bytes; only ever a hint. */
export interface ContentHint {
  /** Media type without parameters, lower case, or null. */
  readonly contentType: string | null;
  /** File extension without the dot, lower case, or null. */
  readonly extension: string | null;
}
