// What a source of tracks is. One file per source implements it and registry.ts lists it; nothing else in
// the project knows a source by name. Runs in the loader pool (resolve, describe) and in shards (open).
import type { ByteSource, ContentHint } from '../../audio/bytes.js';
import type { Track } from '../../shared/track.js';

/** The bytes of one track, opened through the guard. */
export interface OpenedMedia {
  readonly bytes: ByteSource;
  readonly hint: ContentHint;
  /** Where the bytes really came from after redirects; the identifier for files. */
  readonly location: string;
  /** Title and author the transport itself names (ICY headers), or null. */
  readonly title: string | null;
  readonly author: string | null;
  /** True when the transport says that the stream has no end. */
  readonly live: boolean;
}

export interface Source {
  /** Name on the wire (`sourceName`), lower case. */
  readonly name: string;
  /** Whether `resolve` should be asked at all; cheap, no input or output. */
  accepts(identifier: string): boolean;
  /**
   * Opens what an identifier names so that it can be probed; null when there is no such thing (404).
   * Rejects with a ServerError.
   */
  resolve(identifier: string, signal: AbortSignal): Promise<OpenedMedia | null>;
  /** Opens a track of this source again for playing, guard included. Rejects with a ServerError. */
  open(track: Track, signal: AbortSignal): Promise<OpenedMedia>;
}
