// Writes the tables of bench/README.md from the raw results in bench/results/: no figure there is typed by
// hand. Every bench calls it; `npm run bench -- report` does it alone. It measures nothing.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CapacityResult } from './capacity-run.js';
import type { PacketResult } from './packet.js';
import type { Kept } from './results.js';
import type { DeathResult } from './shard-death.js';
import type { StartupResult } from './startup.js';

export const RESULTS = 'bench/results';
const README = 'bench/README.md';
const BEGIN = '<!-- made by bench/report.ts: begin -->';
const END = '<!-- end -->';

interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly row: (result: never) => readonly string[];
}

/** By name of the bench, in the order of the page. */
const TABLES: Readonly<Record<string, Table>> = {
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
      r.verdict === 'PASS' ? r.verdict : `${r.verdict}: ${r.why.join('; ')}`,
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
      r.verdict === 'PASS' ? r.verdict : `${r.verdict}: ${r.why.join('; ')}`,
    ],
  },
};

/** From the checkout's root. */
export async function writeReport(): Promise<void> {
  const kept: Kept<never>[] = [];
  for (const name of (await readdir(RESULTS)).filter((name) => name.endsWith('.json')).sort()) {
    kept.push(JSON.parse(await readFile(join(RESULTS, name), 'utf8')) as Kept<never>);
  }
  const sections = Object.entries(TABLES).flatMap(([bench, table]) => {
    const own = kept.filter((result) => result.bench === bench);
    return own.length === 0 ? [] : [`## ${table.title}\n`, ...own.map((result) => section(table, result))];
  });
  const readme = await readFile(README, 'utf8');
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${README} has lost its markers`);
  const text = [`${readme.slice(0, begin)}${BEGIN}\n`, ...sections, readme.slice(end)].join('\n');
  await writeFile(README, text);
}

function section({ columns, row }: Table, { results, ...about }: Kept<never>): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    `\`${about.command}\`, ${about.date}, commit ${about.commit}, Node ${about.node}, ${about.machine}.`,
    '',
    line(columns),
    line(columns.map(() => '---')),
    ...results.map((result) => line(row(result))),
    '',
  ].join('\n');
}

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

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeReport();
