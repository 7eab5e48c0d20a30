// The only file that imports mediabunny: recognises a container by its first bytes, opens it over a
// ByteSource and hands out its audio packets by time. Runs in loaders (probing) and shards (playing); opens
// nothing itself and decodes nothing. MP3 and ADTS go to frame-container.ts, which holds no list of frames.
import * as bunny from 'mediabunny';
import { ServerError } from '../shared/errors.js';
import { AUDIO, SOURCE } from '../shared/limits.js';
import { ByteWindow, untilAborted } from './byte-window.js';
import type { ByteSource, ContentHint } from './bytes.js';
import type {
  CodecName,
  Container,
  ContainerInfo,
  PacketCursor,
  ProbeName,
  StreamFormat,
} from './container.js';
import { FrameContainer } from './frame-container.js';
import type { Tags } from './id3.js';
import { readId3 } from './id3.js';
import { libraryCursor } from './library-cursor.js';
import { MatroskaContainer } from './matroska-container.js';
import { readMatroskaHead } from './matroska-head.js';
import { EndOfBytes, readExactly, streamOf } from './media-source.js';
import { lastGranule } from './ogg-end.js';
import { OggOpusContainer } from './ogg-opus.js';
import { leadOf, opusCursor, preSkipOf } from './opus-timeline.js';

interface Kind {
  readonly probe: ProbeName;
  readonly format: bunny.InputFormat;
}

const CODECS: ReadonlySet<string> = new Set<CodecName>([
  'opus',
  'vorbis',
  'mp3',
  'aac',
  'flac',
  'pcm-u8',
  'pcm-s16',
  'pcm-s16be',
  'pcm-s24',
  'pcm-s24be',
  'pcm-s32',
  'pcm-s32be',
  'pcm-f32',
  'pcm-f32be',
  'pcm-f64',
  'pcm-f64be',
  'ulaw',
  'alaw',
]);

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
    throw signal.aborted ? error : explain(error);
  }
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
  if (kind !== null) return openIndexed(window, kind, signal);
  const tags: Tags = { title: null, artist: null, isrc: null };
  const start = await readId3(window, 0, tags);
  if (start > 0 && text(await window.read(start, 4)) === 'fLaC') {
    return openIndexed(window, { probe: 'flac', format: bunny.FLAC }, signal);
  }
  const adts =
    hint.contentType === 'audio/aac' || hint.contentType === 'audio/aacp' || hint.extension === 'aac';
  const frames = await FrameContainer.open(window, start, tags, adts);
  if (frames === null) throw new ServerError('PUM_FORMAT_UNKNOWN');
  window.limit(Number.POSITIVE_INFINITY);
  return frames;
}

/** By magic alone (lavalink-v4.md §6.4); null for what has none. */
function kindOf(head: Uint8Array): Kind | null {
  const name = text(head.subarray(0, 4));
  const inner = text(head.subarray(8, 12));
  if ((name === 'RIFF' || name === 'RIFX' || name === 'RF64') && inner === 'WAVE') {
    return { probe: 'wav', format: bunny.WAVE };
  }
  if (name === '\x1a\x45\xdf\xa3') return { probe: 'matroska/webm', format: bunny.MATROSKA };
  if (name === 'fLaC') return { probe: 'flac', format: bunny.FLAC };
  if (name === 'OggS') return { probe: 'ogg', format: bunny.OGG };
  const box = text(head.subarray(4, 8));
  if (box === 'ftyp' || box === 'styp') return { probe: 'mp4', format: bunny.MP4 };
  if (box === 'moov' || box === 'wide' || box === 'mdat') return { probe: 'mp4', format: bunny.QTFF };
  return null;
}

async function openIndexed(window: ByteWindow, kind: Kind, signal: AbortSignal): Promise<Container> {
  const formats =
    kind.format === bunny.MATROSKA ? [bunny.MATROSKA, bunny.WEBM] : [kind.format, bunny.MP4, bunny.QTFF];
  const input = new bunny.Input({ formats, source: sourceOf(window) });
  try {
    await input.getFormat();
    // The container is known now, so what is in front of its sound may be as large as covers and indexes are.
    window.limit(AUDIO.maxContainerHead);
    const track = await chooseTrack(input);
    const format = await formatOf(track);
    const tags = await tagsOf(input);
    const matroska = kind.probe === 'matroska/webm' && window.atBeginning;
    const head = matroska ? await readMatroskaHead(window) : null;
    tags.title ??= head?.title ?? null;
    const durationMs = await durationOf(window, kind, track, format);
    window.limit(Number.POSITIVE_INFINITY);
    const info: ContainerInfo = { probe: kind.probe, format, durationMs, ...tags };
    const clusters = head === null ? null : MatroskaContainer.of(window, head, track.id, info);
    if (clusters === null) return containerOf(window, input, track, info, signal);
    input.dispose();
    return clusters;
  } catch (error) {
    input.dispose();
    throw error;
  }
}

function sourceOf(window: ByteWindow): bunny.Source {
  // Reads that nobody waits for any more may fail unheard: whoever waits hears of it.
  const handleUnhandledError = (): void => undefined;
  const { size } = window;
  if (size === null || !window.seekable) {
    const maxCacheSize = AUDIO.maxWindowBytes;
    return new bunny.ReadableStreamSource(streamOf(window), { maxCacheSize, handleUnhandledError });
  }
  return new bunny.CustomSource({
    getSize: () => size,
    read: (start, end) => readExactly(window, start, end),
    maxCacheSize: AUDIO.maxContainerCache,
    prefetchProfile: 'none',
    handleUnhandledError,
  });
}

/** Opus before anything else, since it may pass through; else the first track that can be decoded. */
async function chooseTrack(input: bunny.Input): Promise<bunny.InputAudioTrack> {
  const tracks = await input.getAudioTracks();
  let chosen: bunny.InputAudioTrack | null = null;
  let refused = 'none';
  for (const track of tracks) {
    const codec = await track.getCodec();
    if (codec === 'opus') return track;
    if (codec !== null && CODECS.has(codec)) chosen ??= track;
    else refused = codec ?? nameOf(await track.getInternalCodecId());
  }
  if (chosen === null && (await input.getTracks()).length === 0) {
    throw new ServerError('PUM_FORMAT_BROKEN', { reason: 'it holds no track' });
  }
  if (chosen === null) throw new ServerError('PUM_FORMAT_UNSUPPORTED', { codec: refused });
  return chosen;
}

function nameOf(id: string | number | Uint8Array | null): string {
  if (id === null) return 'unknown';
  return (typeof id === 'object' ? text(id) : String(id)).replace(/[^\w.-]/g, '').slice(0, 32);
}

async function formatOf(track: bunny.InputAudioTrack): Promise<StreamFormat> {
  const codec = (await track.getCodec()) as CodecName;
  const config = await track.getDecoderConfig();
  const sampleRate = await track.getSampleRate();
  const channels = await track.getNumberOfChannels();
  if (!(sampleRate >= 1 && sampleRate <= 384_000) || !(channels >= 1 && channels <= 16)) {
    throw new ServerError('PUM_FORMAT_BROKEN', { reason: `${channels} channels at ${sampleRate} Hz` });
  }
  return { codec, sampleRate, channels, description: bytesOf(config?.description) };
}

/** A browser's type in the library's declarations, which this compiler does not know. */
function bytesOf(description: unknown): Uint8Array | null {
  if (ArrayBuffer.isView(description)) {
    return new Uint8Array(description.buffer, description.byteOffset, description.byteLength).slice();
  }
  return description instanceof ArrayBuffer ? new Uint8Array(description).slice() : null;
}

async function tagsOf(input: bunny.Input): Promise<Tags> {
  const tags = await input.getMetadataTags();
  const { raw } = tags;
  const isrc = raw?.['ISRC'] ?? raw?.['isrc'] ?? raw?.['TSRC'];
  const found = { title: line(tags.title), artist: line(tags.artist), isrc: line(isrc) };
  // The library would keep covers for as long as the container is open.
  delete tags.images;
  delete tags.raw;
  return found;
}

function line(value: unknown): string | null {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  if (typeof first !== 'string') return null;
  const trimmed = first.slice(0, SOURCE.maxTags).trim();
  return trimmed === '' ? null : trimmed;
}

/** Whole milliseconds from what the container says; never by walking through the file. */
async function durationOf(
  window: ByteWindow,
  kind: Kind,
  track: bunny.InputAudioTrack,
  format: StreamFormat,
): Promise<number | null> {
  if (window.size === null) return null;
  if (kind.probe === 'ogg') {
    if (!window.seekable) return null;
    const granule = await lastGranule(window, window.size, track.id);
    return granule === null ? null : milliseconds((granule - preSkipOf(format)) / format.sampleRate);
  }
  const seconds = await track.getDurationFromMetadata({ skipLiveWait: true });
  return seconds === null ? null : milliseconds(seconds);
}

function milliseconds(seconds: number): number | null {
  return Number.isFinite(seconds) && seconds > 0 ? Math.round(seconds * 1_000) : null;
}

function containerOf(
  window: ByteWindow,
  input: bunny.Input,
  track: bunny.InputAudioTrack,
  info: ContainerInfo,
  signal: AbortSignal,
): Container {
  const sink = new bunny.EncodedPacketSink(track);
  const guarded = async <T>(work: () => Promise<T>): Promise<T | null> => {
    try {
      return await untilAborted(work(), signal);
    } catch (error) {
      if (signal.aborted) throw error;
      // Where a file is cut, the library fails in many ways; what came before has been played.
      if (!(error instanceof ServerError) && (error instanceof EndOfBytes || window.atEnd)) return null;
      throw explain(error);
    }
  };
  const cursorAt = (seconds: number): Promise<PacketCursor> => libraryCursor(sink, seconds, guarded);
  let lead: number | null = null;
  return {
    info,
    async packets(from) {
      if (info.format.codec !== 'opus') return cursorAt(from);
      lead ??= info.probe === 'ogg' ? preSkipOf(info.format) : leadOf(await (await cursorAt(0)).next());
      return opusCursor(cursorAt, from, lead, info.probe === 'ogg');
    },
    close() {
      input.dispose();
      window.close();
    },
  };
}

/** What the library throws at a damaged file is nothing that a caller knows. */
function explain(error: unknown): unknown {
  if (error instanceof ServerError) return error;
  if (error instanceof bunny.UnsupportedInputFormatError)
    return new ServerError('PUM_FORMAT_UNKNOWN', {}, error);
  const reason = error instanceof EndOfBytes ? 'it ends early' : 'its structure makes no sense';
  return new ServerError('PUM_FORMAT_BROKEN', { reason }, error);
}

function text(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, 64));
}
