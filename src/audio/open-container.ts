// Recognises a container by its first bytes, opens it over a ByteSource and hands out its audio packets by time.
// Runs in loaders (probing) and shards (playing); opens nothing itself and decodes nothing. Ogg Opus, MP3 and
// ADTS are read by ourselves; the rest goes to the demuxer library (demux.ts).
import { ServerError } from '../shared/errors.js';
import { AUDIO, SOURCE } from '../shared/limits.js';
import { ByteWindow, untilAborted } from './byte-window.js';
import type { ByteSource, ContentHint } from './bytes.js';
import type { Container } from './container.js';
import type { IndexedKind } from './demux.js';
import { FrameContainer } from './frame-container.js';
import type { Tags } from './id3.js';
import { readId3 } from './id3.js';
import { OggOpusContainer } from './ogg-opus.js';

/** Bytes of the beginning that decide which container it is. */
const MAGIC_BYTES = 12;

/**
 * Opens what `bytes` hold. The signal ends every wait for as long as the container is open. Rejects with
 * PUM_FORMAT_UNKNOWN, PUM_FORMAT_UNSUPPORTED, PUM_FORMAT_BROKEN, what the source rejects with, or the
 * signal's reason. The container owns `bytes`: closing it, or failing here, closes them.
 */
export async function openContainer(
  bytes: ByteSource,
  hint: ContentHint,
  signal: AbortSignal,
): Promise<Container> {
  const window = new ByteWindow(bytes, signal);
  window.limit(SOURCE.maxProbe);
  try {
    return await untilAborted(recognise(window, hint, signal), signal);
  } catch (error) {
    window.close();
    if (signal.aborted || error instanceof ServerError) throw error;
    throw new ServerError('PUM_FORMAT_BROKEN', { reason: 'its structure makes no sense' }, error);
  }
}

/** The adapter of the demuxer library, which takes longer to load than anything else. */
export function loadDemuxer(): Promise<typeof import('./demux.js')> {
  return import('./demux.js');
}

async function recognise(window: ByteWindow, hint: ContentHint, signal: AbortSignal): Promise<Container> {
  const kind = kindOf(await window.read(0, MAGIC_BYTES));
  if (kind?.probe === 'ogg') {
    window.limit(AUDIO.maxContainerHead);
    const stream = await OggOpusContainer.open(window);
    if (stream !== null) {
      window.limit(Number.POSITIVE_INFINITY);
      return stream;
    }
  }
  if (kind !== null) return (await loadDemuxer()).openIndexed(window, kind, signal);
  const tags: Tags = { title: null, artist: null, isrc: null };
  const start = await readId3(window, 0, tags);
  if (start > 0 && text(await window.read(start, 4)) === 'fLaC') {
    return (await loadDemuxer()).openIndexed(window, { probe: 'flac', format: 'FLAC' }, signal);
  }
  const adts =
    hint.contentType === 'audio/aac' || hint.contentType === 'audio/aacp' || hint.extension === 'aac';
  const frames = await FrameContainer.open(window, start, tags, adts);
  if (frames === null) throw new ServerError('PUM_FORMAT_UNKNOWN');
  window.limit(Number.POSITIVE_INFINITY);
  return frames;
}

/** By magic alone (lavalink-v4.md §6.4); null for what has none. */
function kindOf(head: Uint8Array): IndexedKind | null {
  const name = text(head.subarray(0, 4));
  const inner = text(head.subarray(8, 12));
  if ((name === 'RIFF' || name === 'RIFX' || name === 'RF64') && inner === 'WAVE') {
    return { probe: 'wav', format: 'WAVE' };
  }
  if (name === '\x1a\x45\xdf\xa3') return { probe: 'matroska/webm', format: 'MATROSKA' };
  if (name === 'fLaC') return { probe: 'flac', format: 'FLAC' };
  if (name === 'OggS') return { probe: 'ogg', format: 'OGG' };
  const box = text(head.subarray(4, 8));
  if (box === 'ftyp' || box === 'styp') return { probe: 'mp4', format: 'MP4' };
  if (box === 'moov' || box === 'wide' || box === 'mdat') return { probe: 'mp4', format: 'QTFF' };
  return null;
}

function text(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, 64));
}
