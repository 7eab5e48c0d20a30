// The memory of a server under a growing number of players of one kind, start by start, each start with a fresh
// server. Called by memory.ts.
import { wordsPerRing } from '../src/shared/ring-slab.js';
import { judgeMemory, slope, type KindSlopes } from './memory-verdict.js';
import { median } from './packet-verdict.js';
import { pssOf } from './process-usage.js';
import { ServerHooks, sumOf, type ThreadReply } from './server-hooks.js';
import { inTurns, pause, Stage, STARTS_PER_SECOND } from './stage.js';
import type { Verdict } from './verdict.js';

export interface MemoryOptions {
  /** Players at which is measured, growing. */
  readonly counts: readonly number[];
  readonly starts: number;
  /** frameBufferDurationMs. */
  readonly windowMs: number;
  /** Forced ahead of each look. */
  readonly collections: number;
  readonly shards: number;
}

/** Each has what the one before it has, and more. */
export const KINDS = ['idle', 'gateway', 'connected', 'playing'] as const;
export type MemoryKind = (typeof KINDS)[number];

/** Bytes, after forced collection. */
export interface MemoryPoint {
  readonly players: number;
  readonly pss: number;
  readonly heapUsed: number;
  readonly heapTotal: number;
  readonly arrayBuffers: number;
  /** Of V8's `external`, what is no array buffer; below zero by the rings' shared memory, which is none of it. */
  readonly otherExternal: number;
  /** Main, each shard and each sender. */
  readonly threads: readonly ThreadMemory[];
}

export type ThreadMemory = Pick<ThreadReply, 'thread' | 'heapUsed' | 'arrayBuffers' | 'external'>;

/** Bytes a player. */
export interface MemorySplit {
  /** Idle players: records in main and in the shard. */
  readonly record: number;
  /** Connected without DAVE: the gateway's TLS connection, state and counters. */
  readonly gateway: number;
  readonly dave: number;
  /** Playing: source, parser, packet window, frames, ring. */
  readonly playing: number;
  /** Of `playing`: what lies in a full ring and in a full window, reckoned from the size of the tracks. */
  readonly ring: number;
  readonly window: number;
  /** Of `playing`: source and parser, and what else; what is left of the two above. */
  readonly sourceAndParser: number;
}

export interface MemoryResult extends MemoryOptions {
  readonly forced: string;
  /** Of the tracks, on average. */
  readonly trackBytesPerSecond: number;
  /** Players that came and went before the first count. */
  readonly warmUp: number;
  /** Bytes a player; medians of the starts. */
  readonly perPlayer: Readonly<Record<MemoryKind, number>>;
  readonly byStart: readonly KindSlopes[];
  /** The part of a playing player that V8 knows, and the part outside (PSS less heap and external). */
  readonly v8: Readonly<
    Record<'heapUsed' | 'heapTotal' | 'arrayBuffers' | 'otherExternal' | 'outside', number>
  >;
  readonly split: MemorySplit;
  readonly points: Readonly<Record<MemoryKind, readonly (readonly MemoryPoint[])[]>>;
  readonly verdict: Verdict;
  readonly why: readonly string[];
}

const FORCED =
  'full collections of every thread with the last-resort flavour (--expose-gc), a second apart; malloc keeps what it ' +
  'keeps';
/** Players that come and go ahead of the first count, so that what is loaded at first use is there from then on. */
const WARM_UP_PLAYERS = 8;
const COLLECTION_MS = 1_000;
/** Frames that lie in a ring at the default lead, its slots, and what DAVE and the transport add to a packet. */
const RING = { frames: 20, slots: 32, added: 48 };
const FRAMES_PER_SECOND = 50;
/** Behind the filling of the windows, until nothing is under way. */
const SETTLE_MS = 1_000;
const SPARE_SECONDS = 60;

export async function measureMemory(options: MemoryOptions): Promise<MemoryResult> {
  const points = { idle: [], gateway: [], connected: [], playing: [] } as Record<MemoryKind, MemoryPoint[][]>;
  let trackBytesPerSecond = NaN;
  for (let start = 0; start < options.starts; start++) {
    for (const kind of KINDS) {
      const found = await oneStart(kind, options);
      points[kind].push(found.points);
      if (kind === 'playing') trackBytesPerSecond = found.trackBytesPerSecond;
    }
  }
  const byStart = points.idle.map((_, n) => slopesOf(points, n));
  const of = (kind: MemoryKind): number => median(byStart.map((slopes) => slopes[kind]));
  const perPlayer = {
    idle: of('idle'),
    gateway: of('gateway'),
    connected: of('connected'),
    playing: of('playing'),
  };
  const part = (value: (point: MemoryPoint) => number): number =>
    median(points.playing.map((start) => slope(start.map((point) => [point.players, value(point)]))));
  return {
    ...options,
    forced: FORCED,
    trackBytesPerSecond,
    warmUp: WARM_UP_PLAYERS,
    perPlayer,
    byStart,
    v8: {
      heapUsed: part(({ heapUsed }) => heapUsed),
      heapTotal: part(({ heapTotal }) => heapTotal),
      arrayBuffers: part(({ arrayBuffers }) => arrayBuffers),
      otherExternal: part(({ otherExternal }) => otherExternal),
      outside: part(({ pss, heapTotal, arrayBuffers, otherExternal }) => {
        return pss - heapTotal - arrayBuffers - otherExternal;
      }),
    },
    split: splitOf(perPlayer, options.windowMs, trackBytesPerSecond),
    ...judgeMemory(byStart, options.windowMs),
    points,
  };
}

async function oneStart(
  kind: MemoryKind,
  options: MemoryOptions,
): Promise<{ points: MemoryPoint[]; trackBytesPerSecond: number }> {
  const { counts, windowMs, collections, shards } = options;
  const most = counts.at(-1) ?? 0;
  const hooks = await ServerHooks.create();
  const stage = await Stage.start({
    format: 'opus',
    tracks: kind === 'playing' ? most + WARM_UP_PLAYERS : 0,
    seconds:
      (most / STARTS_PER_SECOND) * 4 +
      counts.length * ((windowMs + SETTLE_MS) / 1_000 + collections) +
      SPARE_SECONDS,
    config: {
      'pumice.performance.workerThreads': shards,
      'lavalink.server.frameBufferDurationMs': windowMs,
    },
    execArgv: hooks.execArgv,
    voice: kind === 'gateway' ? { dave: 0 } : {},
  });
  try {
    await warmUp(stage, kind, stage.guilds(most, most + WARM_UP_PLAYERS));
    const points: MemoryPoint[] = [];
    let made = 0;
    for (const count of counts) {
      await grow(stage, kind, stage.guilds(made, count));
      made = count;
      await expectPlayers(stage, kind, count);
      await pause((kind === 'playing' ? windowMs : 0) + SETTLE_MS);
      points.push(await look(stage, hooks, count, collections));
    }
    return { points, trackBytesPerSecond: stage.trackBytesPerSecond };
  } finally {
    await stage.close();
    await hooks.close();
  }
}

async function grow(stage: Stage, kind: MemoryKind, guilds: readonly string[]): Promise<void> {
  const { client, voice } = stage;
  switch (kind) {
    case 'idle':
      return inTurns(guilds, (guild) => client.patch(guild, { volume: 100 }));
    case 'gateway':
      return inTurns(guilds, async (guild) => {
        await client.join(guild, voice.endpoint);
        await voice.sessionOf(guild);
      });
    case 'connected':
      return stage.joinAll(guilds);
    case 'playing':
      await stage.joinAll(guilds);
      return stage.playAll(guilds);
  }
}

async function warmUp(stage: Stage, kind: MemoryKind, guilds: readonly string[]): Promise<void> {
  await grow(stage, kind, guilds);
  await pause(SETTLE_MS);
  await inTurns(guilds, (guild) => stage.client.must('DELETE', stage.client.player(guild)));
}

/** Rejects when the server has not got what is measured. */
async function expectPlayers({ client }: Stage, kind: MemoryKind, count: number): Promise<void> {
  const page = await client.text('/metrics');
  const gauge = (name: string): number => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(page)?.[1]);
  const found = [gauge('lavalink_players_total'), gauge('lavalink_playing_players_total')];
  const wanted = [count, kind === 'playing' ? count : 0];
  if (found.join() !== wanted.join())
    throw new Error(`players, playing: ${found.join()}, not ${wanted.join()}`);
}

/** Collects that often: V8 gives back what it held for its start, or for a burst, only after some seconds. */
async function look(
  { server }: Stage,
  hooks: ServerHooks,
  players: number,
  times: number,
): Promise<MemoryPoint> {
  let replies = await hooks.tell({ kind: 'collect' });
  for (let n = 1; n < times; n++) {
    await pause(COLLECTION_MS);
    replies = await hooks.tell({ kind: 'collect' });
  }
  const pss = await pssOf(server.pid);
  return {
    players,
    pss,
    heapUsed: sumOf(replies, ({ heapUsed }) => heapUsed),
    heapTotal: sumOf(replies, ({ heapTotal }) => heapTotal),
    arrayBuffers: sumOf(replies, ({ arrayBuffers }) => arrayBuffers),
    otherExternal: sumOf(replies, ({ external, arrayBuffers }) => external - arrayBuffers),
    threads: replies.map(({ thread, heapUsed, arrayBuffers, external }) => {
      return { thread, heapUsed, arrayBuffers, external };
    }),
  };
}

function slopesOf(
  points: Readonly<Record<MemoryKind, readonly (readonly MemoryPoint[])[]>>,
  n: number,
): KindSlopes {
  const of = (kind: MemoryKind): number =>
    slope((points[kind][n] ?? []).map(({ players, pss }) => [players, pss] as const));
  return { idle: of('idle'), gateway: of('gateway'), connected: of('connected'), playing: of('playing') };
}

function splitOf(
  { idle, gateway, connected, playing }: KindSlopes,
  windowMs: number,
  trackBytesPerSecond: number,
): MemorySplit {
  const packet = trackBytesPerSecond / FRAMES_PER_SECOND + RING.added;
  const ring = RING.frames * packet + wordsPerRing(RING.slots) * Int32Array.BYTES_PER_ELEMENT;
  const window = trackBytesPerSecond * (windowMs / 1_000);
  return {
    record: idle,
    gateway: gateway - idle,
    dave: connected - gateway,
    playing: playing - connected,
    ring,
    window,
    sourceAndParser: playing - connected - ring - window,
  };
}
