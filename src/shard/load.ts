// Turns an identifier into a track token: asks the sources in order, opens what one of them finds and looks
// at its container. Runs in the loader pool (loader-entry.ts). Keeps nothing between two loads and closes
// everything it opened.

import type { ByteSource, ContentHint } from '../audio/bytes.js';
import type { Container, ContainerInfo } from '../audio/container.js';
import { ServerError } from '../shared/errors.js';
import type { LoadOutcome, LoadService } from '../shared/load.js';
import { UNKNOWN_AUTHOR, UNKNOWN_LENGTH, UNKNOWN_TITLE, type Track } from '../shared/track.js';
import { encodeTrack, probeTrailer } from '../shared/track-token.js';
import type { SourceRegistry } from './source/registry.js';
import type { OpenedMedia } from './source/source.js';
import { unlessAborted } from './source/waiting.js';

/** openContainer of src/audio/demux.ts: it owns the bytes from the call on. */
export type OpenContainer = (bytes: ByteSource, hint: ContentHint, signal: AbortSignal) => Promise<Container>;

/** Longest title or author in characters; what a tag holds beyond that no client shows. */
const MAX_TEXT = 1_000;

export class Loader implements LoadService {
  readonly #registry: SourceRegistry;
  readonly #openContainer: OpenContainer;

  constructor(registry: SourceRegistry, openContainer: OpenContainer) {
    this.#registry = registry;
    this.#openContainer = openContainer;
  }

  async load(identifier: string, signal: AbortSignal): Promise<LoadOutcome> {
    try {
      for (const source of this.#registry.accepting(identifier)) {
        const media = await source.resolve(identifier, signal);
        if (media === null) continue;
        const info = await this.#probe(media, signal);
        return { kind: 'track', token: encodeTrack(describeTrack(source.name, media, info)) };
      }
      return { kind: 'empty' };
    } catch (error) {
      return { kind: 'error', error: ServerError.from(error, 'PUM_LOAD_FAILED').toShape() };
    }
  }

  /** What the container says; it and the bytes below it are closed again, however this ends. */
  async #probe(media: OpenedMedia, signal: AbortSignal): Promise<ContainerInfo> {
    let opening: Promise<Container> | null = null;
    try {
      opening = this.#openContainer(media.bytes, media.hint, signal);
      // Raced, so that a parser lost in a hostile file cannot hold up the answer.
      const container = await unlessAborted(opening, signal);
      return container.info;
    } finally {
      media.bytes.close();
      opening?.then(
        (container) => container.close(),
        () => {},
      );
    }
  }
}

function describeTrack(sourceName: string, media: OpenedMedia, info: ContainerInfo): Track {
  const length = media.live ? null : info.durationMs;
  return {
    info: {
      identifier: media.location,
      isSeekable: length !== null,
      author: text(info.artist) ?? text(media.author) ?? UNKNOWN_AUTHOR,
      length: length === null ? UNKNOWN_LENGTH : BigInt(Math.round(length)),
      isStream: length === null,
      position: 0n,
      title: text(info.title) ?? text(media.title) ?? UNKNOWN_TITLE,
      uri: media.location,
      sourceName,
      artworkUrl: null,
      isrc: text(info.isrc),
    },
    trailer: probeTrailer(info.probe),
  };
}

function text(value: string | null): string | null {
  const trimmed = value?.trim() ?? '';
  return trimmed === '' ? null : trimmed.slice(0, MAX_TEXT);
}
