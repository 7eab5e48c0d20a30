// Local media: the only file that reads media from disk, and only below one folder
// (`pumice.sources.localRoot`). Listed in registry.ts; resolves in loaders, opens in shards. All file work is
// asynchronous; nothing outside the folder is opened, whatever `..` or a symbolic link says.

import { constants, open, realpath, type FileHandle } from 'node:fs/promises';
import { isAbsolute, relative, resolve as resolvePath, sep } from 'node:path';

import type { ByteSource } from '../../audio/bytes.js';
import { ServerError } from '../../shared/errors.js';
import type { Track } from '../../shared/track.js';
import { errorCode } from './error-code.js';
import { extensionOf } from './http-headers.js';
import type { OpenedMedia, Source } from './source.js';
import { unlessAborted } from './waiting.js';

/** PATH_MAX of Linux. */
const MAX_PATH = 4_096;
/** Bytes of one read; more is never held for a reader. */
const MAX_READ = 256 * 1024;
/** The file itself, never a link that took its place; a pipe must not block the open. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export class FileSource implements Source {
  readonly name = 'local';
  readonly #root: string;

  /** `root` may be relative to the working directory and need not exist yet. */
  constructor(root: string) {
    this.#root = resolvePath(root);
  }

  /** Anything that may be a path; URLs are left to others. */
  accepts(identifier: string): boolean {
    if (identifier === '' || identifier.length > MAX_PATH || identifier.includes('\0')) return false;
    return !/^[a-z][a-z0-9+.-]*:\/\//i.test(identifier);
  }

  async resolve(identifier: string, signal: AbortSignal): Promise<OpenedMedia | null> {
    signal.throwIfAborted();
    const opening = this.#open(identifier);
    try {
      const bytes = await unlessAborted(opening, signal);
      if (bytes === null) return null;
      const hint = { contentType: null, extension: extensionOf(identifier) };
      return { bytes, hint, location: identifier, title: null, author: null, live: false };
    } catch (error) {
      // Given up by the signal: the file may still be opened behind our back.
      opening.then(
        (bytes) => bytes?.close(),
        () => {},
      );
      throw error;
    }
  }

  async open(track: Track, signal: AbortSignal): Promise<OpenedMedia> {
    const media = await this.resolve(track.info.identifier, signal);
    if (media === null) throw new ServerError('PUM_SOURCE_NOT_FOUND');
    return media;
  }

  async #open(identifier: string): Promise<ByteSource | null> {
    const asked = resolvePath(this.#root, identifier);
    // Judged before the disk is asked, so that nobody learns what exists outside.
    if (!isInside(this.#root, asked)) throw new ServerError('PUM_SOURCE_FILE');
    try {
      const [root, file] = await Promise.all([realpath(this.#root), realpath(asked)]);
      if (!isInside(root, file)) throw new ServerError('PUM_SOURCE_FILE');
      return await bytesOf(await open(file, OPEN_FLAGS));
    } catch (error) {
      if (isMissing(error)) return null;
      // The system's text holds the whole path, which is nobody's business.
      throw error instanceof ServerError ? error : new ServerError('PUM_SOURCE_FILE', {}, errorCode(error));
    }
  }
}

function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function isMissing(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG';
}

async function bytesOf(handle: FileHandle): Promise<ByteSource> {
  const release = (): void => void handle.close().catch(() => {});
  const state = await handle.stat().catch((error: unknown) => {
    release();
    throw error;
  });
  if (!state.isFile()) {
    release();
    throw new ServerError('PUM_SOURCE_FILE');
  }
  const life = new AbortController();
  const { size } = state;
  return {
    size,
    seekable: true,
    async read(offset, length, signal) {
      signal.throwIfAborted();
      life.signal.throwIfAborted();
      const wanted = Math.min(length, size - offset, MAX_READ);
      if (wanted <= 0) return null;
      const buffer = new Uint8Array(wanted);
      const reading = handle.read(buffer, 0, wanted, offset);
      const { bytesRead } = await unlessAborted(unlessAborted(reading, life.signal), signal).catch(
        (error: unknown) => {
          if (signal.aborted) throw signal.reason;
          throw error instanceof ServerError
            ? error
            : new ServerError('PUM_SOURCE_BROKEN', {}, errorCode(error));
        },
      );
      return bytesRead === 0 ? null : buffer.subarray(0, bytesRead);
    },
    close() {
      if (life.signal.aborted) return;
      life.abort(new ServerError('PUM_SOURCE_BROKEN', {}, 'closed'));
      release();
    },
  };
}
