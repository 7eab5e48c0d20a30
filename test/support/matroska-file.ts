// Matroska files of any layout for the demuxer's tests: several tracks, every lacing, blocks alone or in groups,
// clusters of unknown size, cues in front, behind or nowhere. What it writes is what RFC 9559 allows, unless a test
// damages it afterwards.

export type Lacing = 'none' | 'xiph' | 'fixed' | 'ebml';

export interface MatroskaBlock {
  readonly track?: number;
  /** Ticks. */
  readonly time: number;
  /** One without lacing. */
  readonly frames: readonly Uint8Array[];
  readonly lacing?: Lacing;
  /** In a group, which says how many ticks it lasts unless that is 0. */
  readonly group?: number;
}

export interface MatroskaLayout {
  /** Blocks of each cluster. */
  readonly perCluster?: number;
  /** The segment and its clusters do not say how long they are, as in a live stream. */
  readonly live?: boolean;
  readonly cues?: 'front' | 'back' | 'none';
  /** Ticks by which a cluster's time is later than that of its first block. */
  readonly ahead?: number;
  /** Clusters for each place in the cues. */
  readonly perCue?: number;
  /** Track that the cues are about. */
  readonly cueTrack?: number;
  /** Nanoseconds of a tick. */
  readonly scale?: number;
  readonly tracks?: readonly MatroskaTrackEntry[];
  /** Empty and unknown elements lie between the others. */
  readonly litter?: boolean;
  readonly title?: string;
}

export interface MatroskaTrackEntry {
  readonly number: number;
  readonly codec: string;
  /** 2 is sound, 1 pictures. */
  readonly type?: number;
  readonly private?: Uint8Array;
  /** Nanoseconds. */
  readonly defaultDuration?: number;
  /** Bytes that were taken off the front of every frame. */
  readonly stripped?: Uint8Array;
}

export interface MatroskaFile {
  readonly bytes: Buffer;
  /** Offsets of the clusters. */
  readonly clusters: readonly number[];
}

const UNKNOWN = Buffer.from('01ffffffffffffff', 'hex');
const LACINGS: Record<Lacing, number> = { none: 0, xiph: 1, fixed: 2, ebml: 3 };

/** One element: its name in hexadecimal, and what it holds. */
export function element(id: string, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from(id, 'hex'), sizeOf(body.length), body]);
}

export function matroskaFile(blocks: readonly MatroskaBlock[], layout: MatroskaLayout = {}): MatroskaFile {
  const {
    perCluster = 50,
    live = false,
    cues = 'back',
    scale = 1_000_000,
    litter = false,
    ahead = 0,
  } = layout;
  const clusters: { time: number; bytes: Buffer }[] = [];
  for (let at = 0; at < blocks.length; at += perCluster) {
    const part = blocks.slice(at, at + perCluster);
    clusters.push({ time: part[0]!.time, bytes: cluster(part, live, litter, ahead) });
  }
  const header = element('1a45dfa3', element('4282', Buffer.from('matroska')), element('42f7', number(1)));
  const info = element(
    '1549a966',
    element('2ad7b1', number(scale)),
    ...(layout.title === undefined ? [] : [element('7ba9', Buffer.from(layout.title))]),
  );
  const tracks = element('1654ae6b', ...(layout.tracks ?? [OPUS_TRACK]).map(trackEntry));
  const before = [info, tracks, ...(litter ? [element('ec', Buffer.alloc(300))] : [])];
  const size = (parts: readonly Buffer[]): number => parts.reduce((sum, { length }) => sum + length, 0);
  // Every position is written in eight bytes, so that the lengths are known before the positions are.
  const index = (start: number): Buffer => {
    let at = start;
    const points: Buffer[] = [];
    for (const [n, { time, bytes }] of clusters.entries()) {
      if (n % (layout.perCue ?? 1) === 0) points.push(cuePoint(time, layout.cueTrack ?? 1, at));
      at += bytes.length;
    }
    return element('1c53bb6b', ...points);
  };
  const seek = (at: number): Buffer =>
    element(
      '114d9b74',
      element('4dbb', element('53ab', Buffer.from('1c53bb6b', 'hex')), element('53ac', wide(at))),
    );
  const seekHead = cues === 'none' ? [] : [seek(0)];
  const bodies = clusters.map(({ bytes }) => bytes);
  const front = cues === 'front' ? [index(0)] : [];
  const clustersAt = size([...seekHead, ...before, ...front]);
  const cuesAt = cues === 'front' ? clustersAt - size(front) : clustersAt + size(bodies);
  const content = [
    ...(cues === 'none' ? [] : [seek(cuesAt)]),
    ...before,
    ...(cues === 'front' ? [index(clustersAt)] : []),
    ...bodies,
    ...(cues === 'back' ? [index(clustersAt)] : []),
  ];
  const segment = Buffer.concat([Buffer.from('18538067', 'hex'), live ? UNKNOWN : sizeOf(size(content))]);
  const offsets: number[] = [];
  let offset = header.length + segment.length + clustersAt;
  for (const { length } of bodies) {
    offsets.push(offset);
    offset += length;
  }
  return { bytes: Buffer.concat([header, segment, ...content]), clusters: offsets };
}

const OPUS_HEAD = Buffer.from('4f707573486561640102380180bb0000000000', 'hex');
export const OPUS_TRACK: MatroskaTrackEntry = { number: 1, codec: 'A_OPUS', private: OPUS_HEAD };

function trackEntry(track: MatroskaTrackEntry): Buffer {
  const { type = 2 } = track;
  const parts = [
    element('d7', number(track.number)),
    element('73c5', number(track.number + 1_000)),
    element('83', number(type)),
    element('86', Buffer.from(track.codec)),
  ];
  if (track.private !== undefined) parts.push(element('63a2', track.private));
  if (track.defaultDuration !== undefined) parts.push(element('23e383', number(track.defaultDuration)));
  if (type === 2) {
    const rate = Buffer.alloc(8);
    rate.writeDoubleBE(48_000);
    parts.push(element('e1', element('b5', rate), element('9f', number(2)), element('6264', number(16))));
  } else parts.push(element('e0', element('b0', number(64)), element('ba', number(64))));
  if (track.stripped !== undefined) {
    const settings = element('5034', element('4254', number(3)), element('4255', track.stripped));
    parts.push(element('6d80', element('6240', settings)));
  }
  return element('ae', ...parts);
}

function cluster(blocks: readonly MatroskaBlock[], live: boolean, litter: boolean, ahead: number): Buffer {
  const start = blocks[0]!.time + ahead;
  const parts = [
    ...(litter ? [element('bf', Buffer.alloc(4))] : []),
    element('e7', number(start)),
    // An element that nobody knows may only lie where the cluster's end is known.
    ...(litter && !live ? [element('4fff', Buffer.alloc(20, 0xa3))] : []),
    ...blocks.flatMap((block, n) => [
      ...(litter && n % 7 === 3 ? [element('ec', Buffer.alloc(9, 0xa3)), element('ab', number(77))] : []),
      blockElement(block, block.time - start),
    ]),
  ];
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from('1f43b675', 'hex'), live ? UNKNOWN : sizeOf(body.length), body]);
}

function blockElement(
  { track = 1, frames, lacing = 'none', group }: MatroskaBlock,
  relative: number,
): Buffer {
  const start = Buffer.alloc(3);
  start.writeInt16BE(relative);
  start[2] = (group === undefined ? 0x80 : 0) | (LACINGS[lacing] << 1);
  const content = [vintOf(track), start, ...laces(frames, lacing), ...frames];
  if (group === undefined) return element('a3', ...content);
  const block = element('a1', ...content);
  return element('a0', block, ...(group === 0 ? [] : [element('9b', number(group))]));
}

function laces(frames: readonly Uint8Array[], lacing: Lacing): Buffer[] {
  if (lacing === 'none') return [];
  const count = Buffer.of(frames.length - 1);
  const sizes = frames.slice(0, -1).map(({ length }) => length);
  if (lacing === 'fixed') return [count];
  if (lacing === 'xiph') {
    return [
      count,
      ...sizes.map((size) => Buffer.from([...Array<number>(Math.floor(size / 255)).fill(255), size % 255])),
    ];
  }
  return [count, ...sizes.map((size, n) => (n === 0 ? vintOf(size) : differenceOf(size - sizes[n - 1]!)))];
}

function cuePoint(time: number, track: number, at: number): Buffer {
  const position = element('b7', element('f7', number(track)), element('f1', wide(at)));
  return element('bb', element('b3', wide(time)), position);
}

/** A number of variable length with its marker, as short as may be. */
export function vintOf(value: number, least = 1): Buffer {
  let length = least;
  // All ones would mean that nobody knows.
  while (value >= 2 ** (7 * length) - 1) length++;
  const bytes = Buffer.alloc(length);
  bytes.writeUIntBE(value, 0, length);
  bytes[0] = bytes[0]! | (0x80 >> (length - 1));
  return bytes;
}

function differenceOf(value: number): Buffer {
  let length = 1;
  while (Math.abs(value) >= 2 ** (7 * length - 1) - 1) length++;
  return vintOf(value + 2 ** (7 * length - 1) - 1, length);
}

function sizeOf(bytes: number): Buffer {
  return vintOf(bytes);
}

function number(value: number): Buffer {
  const bytes = wide(value);
  const first = bytes.findIndex((byte) => byte !== 0);
  return bytes.subarray(first < 0 ? 7 : first);
}

function wide(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
