// The tables of bench/README.md: their columns, and a row of each from a raw result. Read by report.ts; measures and
// writes nothing.
import type { CapacityResult } from './capacity-run.js';
import type { ChurnResult } from './churn-run.js';
import { times } from './churn-verdict.js';
import type { MemoryResult } from './memory-run.js';
import { median } from './packet-verdict.js';
import type { PacketResult } from './packet.js';
import type { DeathResult } from './shard-death.js';
import type { SoakResult } from './soak.js';
import type { LeadResult } from './stalls-lead.js';
import type { StallsResult } from './stalls-run.js';
import type { StartupResult } from './startup.js';

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly row: (result: never) => readonly string[];
}

/** By name of the bench, in the order of the page. */
export const TABLES: Readonly<Record<string, Table>> = {
  capacity: {
    title: 'Capacity',
    columns: [
      'tracks',
      'players',
      'packets/s',
      'missing',
      'nulled',
      'receiver ms, p50 / p99 / p99.9 / max',
      'sender ms, p50 / p99 / p99.9 / max',
      'floor ms, p99 / max',
      'cores',
      'CPU ms per audio s',
      'PSS MiB, idle / loaded',
      'KiB per player',
      'verdict',
    ],
    row: (r: CapacityResult) => [
      r.format === 'opus' ? 'Ogg Opus, passed through' : 'MP3 44.1 kHz, encoded',
      String(r.players),
      `${r.packetsPerSecond.toFixed(1)} (${(r.delivered * 100).toFixed(2)} %)`,
      String(r.missing),
      String(r.nulled),
      [r.receiver.p50, r.receiver.p99, r.receiver.p999].map(fine).concat(coarse(r.receiver.max)).join(' / '),
      [r.sender.p50, r.sender.p99, r.sender.p999, r.sender.max].map(bound).join(' / '),
      `${fine(r.floor.p99)} / ${coarse(r.floor.max)}`,
      r.cpu.toFixed(3),
      fine(r.cpuMsPerAudioSecond),
      `${mib(r.pssIdle)} / ${mib(r.pssLoaded)}`,
      (r.pssPerPlayer / 1_024).toFixed(0),
      judged(r),
    ],
  },
  soak: {
    title: 'Soak',
    columns: [
      'players',
      'seconds',
      'joins / leaves of listeners',
      'packets/s',
      'missing',
      'nulled',
      'receiver ms, p50 / p99 / p99.9 / max',
      'sender ms, p50 / p99 / p99.9 / max',
      'floor ms, p99 / p99.9 / max',
      'cores',
      'PSS MiB, idle / loaded',
      'verdict',
    ],
    row: (r: SoakResult) => [
      String(r.players),
      String(r.seconds),
      `${String(r.joins)} / ${String(r.leaves)}`,
      `${r.packetsPerSecond.toFixed(1)} (${(r.delivered * 100).toFixed(3)} %)`,
      String(r.missing),
      String(r.nulled),
      [r.receiver.p50, r.receiver.p99, r.receiver.p999].map(fine).concat(coarse(r.receiver.max)).join(' / '),
      [r.sender.p50, r.sender.p99, r.sender.p999, r.sender.max].map(bound).join(' / '),
      [r.floor.p99, r.floor.p999].map(fine).concat(coarse(r.floor.max)).join(' / '),
      r.cpu.toFixed(3),
      `${mib(r.pssIdle)} / ${mib(r.pssLoaded)}`,
      judged(r),
    ],
  },
  stalls: {
    title: 'Stalls',
    columns: [
      'players',
      'pairs of windows',
      'stalls of shards',
      'collections of main',
      'receiver p99 ms: without / with',
      'times / more',
      'sender p99 ms: without / with',
      'times / more',
      'floor p99 ms: without / with',
      'slots without a frame',
      'missing or faulty',
      'verdict',
    ],
    row: (r: StallsResult) => [
      String(r.players),
      `${String(r.pairs)} × 2 × ${String(r.seconds)} s`,
      `${String(r.stalls)} × ${String(r.stallMs)} ms`,
      `${String(r.collections)}, ${whole(r.collectionMs)} ms`,
      ...[r.receiver, r.sender].flatMap((side) => [
        `${fine(side.without)} / ${fine(side.with)}`,
        `${fine(side.ratio)} / ${fine(side.differenceMs)} ms`,
      ]),
      `${fine(r.floor.without)} / ${fine(r.floor.with)}`,
      String(r.underruns),
      String(r.missingOrFaulty),
      judged(r),
    ],
  },
  'stalls-lead': {
    title: 'A long stall of a shard',
    columns: [
      'players',
      'stall',
      'lead ms',
      'slots without a frame',
      'missing or faulty',
      'receiver ms, p99 / max',
      'floor max ms',
      'verdict',
    ],
    row: (r: LeadResult) => [
      String(r.players),
      `${String(r.times)} × ${String(r.stallMs)} ms`,
      r.leads.map(({ leadMs }) => String(leadMs)).join(', '),
      r.leads.map(({ underruns }) => String(underruns)).join(', '),
      r.leads.map(({ missingOrFaulty }) => String(missingOrFaulty)).join(', '),
      r.leads.map(({ receiver }) => `${fine(receiver.p99)} / ${coarse(receiver.max)}`).join(', '),
      r.leads.map(({ floorMax }) => coarse(floorMax)).join(', '),
      judged(r),
    ],
  },
  churn: {
    title: 'Connects, joins and leaves',
    columns: [
      'players',
      'connects, joins, leaves',
      'a second',
      'CPU ms of each',
      'receiver p99, times that before',
      'sender p99, times that before',
      'floor p99, times that before',
      'slots without a frame',
      'members speak: cores without / with',
      'verdict',
    ],
    row: ({ phases, speaking, ...r }: ChurnResult) => [
      String(r.players),
      phases.map(({ count }) => String(count)).join(', '),
      phases.map(({ count, busyWindow }) => coarse(count / busyWindow.seconds)).join(', '),
      phases.map(({ cpuMsEach }) => fine(cpuMsEach)).join(', '),
      ...(['receiverP99', 'senderP99', 'floorP99'] as const).map((name) =>
        phases.map((phase) => fine(times(phase, name))).join(', '),
      ),
      [...phases.map(({ quiet, busy }) => quiet.underruns + busy.underruns), speaking.underruns].join(', '),
      [speaking.silentCores, speaking.speakingCores].map((cores) => median(cores).toFixed(3)).join(' / '),
      judged(r),
    ],
  },
  memory: {
    title: 'Memory of a player',
    columns: [
      'players, starts',
      'window ms',
      'tracks kbit/s',
      'KB of PSS a player: idle',
      'connected without DAVE',
      'connected',
      'playing',
      'KB of a playing one, by difference: record, gateway, DAVE, the rest',
      'of the rest, reckoned: ring, packet window; what remains: source, parser, others',
      'all of it by V8: heap in use, heap, array buffers, other external, outside V8',
      'verdict',
    ],
    row: ({ perPlayer, split, v8, ...r }: MemoryResult) => [
      `${r.counts.join(', ')}; ${String(r.starts)}`,
      String(r.windowMs),
      whole((r.trackBytesPerSecond * 8) / 1_000),
      ...[perPlayer.idle, perPlayer.gateway, perPlayer.connected, perPlayer.playing].map(kb),
      [split.record, split.gateway, split.dave, split.playing].map(kb).join(', '),
      [split.ring, split.window, split.sourceAndParser].map(kb).join(', '),
      [v8.heapUsed, v8.heapTotal, v8.arrayBuffers, v8.otherExternal, v8.outside].map(kb).join(', '),
      judged(r),
    ],
  },
  startup: {
    title: 'Start',
    columns: ['starts', 'first 200 ms, median / p95 / max', 'ready line', '`node -e 0`', 'limit', 'verdict'],
    row: (r: StartupResult) => [
      String(r.starts),
      [r.first200.median, r.first200.p95, r.first200.max].map(whole).join(' / '),
      [r.readyLine.median, r.readyLine.p95, r.readyLine.max].map(whole).join(' / '),
      [r.floor.median, r.floor.p95, r.floor.max].map(whole).join(' / '),
      whole(r.limitMs),
      r.verdict,
    ],
  },
  'shard-death': {
    title: 'Death of a shard',
    columns: [
      'fault',
      'players',
      'on the dead shard',
      'noticed after ms',
      'its players: longest silence ms',
      'heard twice ms',
      'others: frames off in 10 s',
      'latest ms',
      'missing or faulty',
      'floor max ms',
      'verdict',
    ],
    row: (r: DeathResult) => [
      r.fault,
      String(r.players),
      String(r.killed),
      whole(r.toldAfterMs),
      whole(r.longestGapMs),
      whole(r.worstRepeatMs),
      r.worstFramesOff.toFixed(1),
      coarse(r.latestMs),
      String(r.missingOrFaulty),
      coarse(r.floor.max),
      r.verdict,
    ],
  },
  packet: {
    title: 'A packet',
    columns: [
      'Opus bytes',
      'µs: DAVE',
      'seal',
      'ring',
      'send',
      'seal + ring + send',
      'C: seal + send',
      'times C',
      '@discordjs/voice: DAVE + seal, send',
      'garbage in bytes, heap + buffers: DAVE, seal, ring, send',
      '@discordjs/voice: DAVE + seal, send',
      'demuxing ms per audio s: Ogg Opus, WebM Opus, MP3',
      'garbage of a demuxed packet, the same',
      'verdict',
    ],
    row: ({ steps, inC, garbage, demux, ...r }: PacketResult) => [
      String(r.frame),
      ...[steps.dave, steps.seal, steps.ring, steps.send, r.whole].map(fine),
      inC === null ? '–' : `${fine(inC.seal)} + ${fine(inC.send)}`,
      r.timesC === null ? '–' : fine(r.timesC),
      [steps.prepare, steps.dispatch].map(fine).join(', '),
      [garbage.dave, garbage.seal, garbage.ring, garbage.send].map(bytes).join(', '),
      [garbage.prepare, garbage.dispatch].map(bytes).join(', '),
      demux.map(({ msPerAudioSecond }) => fine(msPerAudioSecond)).join(', '),
      demux.map((cost) => bytes(cost.garbage)).join(', '),
      judged(r),
    ],
  },
};

function fine(value: number): string {
  return value.toFixed(2);
}

function coarse(value: number): string {
  return value.toFixed(1);
}

function whole(value: number): string {
  return value.toFixed(0);
}

/** An upper bound; JSON has no infinity, so the bucket without an end is null there. */
function bound(value: number | null): string {
  return value === null || value === Infinity ? '> 400' : `≤ ${String(value)}`;
}

function bytes({ heap, outside }: PacketResult['garbage']['dave']): string {
  return `${whole(heap)} + ${whole(outside)}`;
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}

function kb(bytes: number): string {
  return coarse(bytes / 1_000);
}

function judged({ verdict, why }: { readonly verdict: string; readonly why: readonly string[] }): string {
  return verdict === 'PASS' ? verdict : `${verdict}: ${why.join('; ')}`;
}
