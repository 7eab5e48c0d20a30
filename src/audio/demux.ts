// The only file that imports mediabunny: opens the containers that we do not read ourselves, over the bytes of a
// window, and hands out their audio packets by time. Loaded when open-container.ts first has one, or when a
// shard has started, for it takes longer to load than anything else. Opens nothing itself and decodes nothing.
import * as bunny from 'mediabunny';
import { ServerError } from '../shared/errors.js';
import { AUDIO, SOURCE } from '../shared/limits.js';
import type { ByteWindow } from './byte-window.js';
import { untilAborted } from './byte-window.js';
import type {
  CodecName,
  Container,
  ContainerInfo,
  PacketCursor,
  ProbeName,
  StreamFormat,
} from './container.js';
import type { Tags } from './id3.js';
import { libraryCursor } from './library-cursor.js';
import { MatroskaContainer } from './matroska-container.js';
import { readMatroskaHead } from './matroska-head.js';
import { EndOfBytes, readExactly, streamOf } from './media-source.js';
import { lastGranule } from './ogg-end.js';
import { leadOf, opusCursor, preSkipOf } from './opus-timeline.js';

/** A container as its first bytes tell it. */
export interface IndexedKind {
  readonly probe: ProbeName;
  /** The library's name of the format that is tried first. */
  readonly format: 'WAVE' | 'MATROSKA' | 'FLAC' | 'OGG' | 'MP4' | 'QTFF';
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

/** Rejects with PUM_FORMAT_UNKNOWN, PUM_FORMAT_UNSUPPORTED, PUM_FORMAT_BROKEN, or what the window rejects with. */
export async function openIndexed(
  window: ByteWindow,
  kind: IndexedKind,
  signal: AbortSignal,
): Promise<Container> {
  try {
    return await open(window, kind, signal);
  } catch (error) {
    throw signal.aborted ? error : explain(error);
  }
}

async function open(window: ByteWindow, kind: IndexedKind, signal: AbortSignal): Promise<Container> {
  const formats =
    kind.format === 'MATROSKA' ? [bunny.MATROSKA, bunny.WEBM] : [bunny[kind.format], bunny.MP4, bunny.QTFF];
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
  kind: IndexedKind,
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
