// Keeps raw results as JSON and writes the tables of bench/README.md from them: no figure there is typed by
// hand. Each result says when, on what and by which command it was measured.
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import type { CapacityResult } from './capacity-run.js';

const FOLDER = 'bench/results';
const README = 'bench/README.md';
const BEGIN = '<!-- made by the bench: begin -->';
const END = '<!-- end -->';

export interface Kept {
  readonly bench: string;
  readonly command: string;
  readonly date: string;
  readonly commit: string;
  readonly node: string;
  readonly machine: string;
  readonly results: readonly CapacityResult[];
}

export async function keep(bench: string, results: readonly CapacityResult[]): Promise<void> {
  const kept: Kept = {
    bench,
    command: `npm run bench -- ${bench} ${process.argv.slice(2).join(' ')}`.trim(),
    date: new Date().toISOString().slice(0, 10),
    commit: commit(),
    node: process.version,
    machine: `${String(cpus().length)} × ${cpus()[0]?.model.trim() ?? 'unknown'}, Linux ${release()}`,
    results,
  };
  await mkdir(FOLDER, { recursive: true });
  await writeFile(join(FOLDER, `${bench}.json`), `${JSON.stringify(kept, null, 2)}\n`);
  await writeTables(kept);
}

async function writeTables(kept: Kept): Promise<void> {
  const readme = await readFile(README, 'utf8');
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${README} has lost its markers`);
  await writeFile(README, `${readme.slice(0, begin + BEGIN.length)}\n\n${table(kept)}\n${readme.slice(end)}`);
}

function table({ command, date, commit, node, machine, results }: Kept): string {
  const mib = (bytes: number): string => (bytes / 1_048_576).toFixed(0);
  const rows = results.map((r) => [
    r.format === 'opus' ? 'Ogg Opus, passed through' : 'MP3 44.1 kHz, encoded',
    String(r.players),
    `${r.packetsPerSecond.toFixed(1)} (${(r.delivered * 100).toFixed(2)} %)`,
    String(r.missing),
    `${r.receiver.p50.toFixed(2)} / ${r.receiver.p99.toFixed(2)} / ${r.receiver.max.toFixed(1)}`,
    r.floor.p99.toFixed(2),
    `${(r.cpu * 100).toFixed(1)} %`,
    r.cpuMsPerAudioSecond.toFixed(2),
    `${mib(r.pssIdle)} / ${mib(r.pssLoaded)}`,
    r.verdict,
  ]);
  const head = [
    'tracks',
    'players',
    'packets/s',
    'missing',
    'lateness ms, p50 / p99 / max',
    'floor p99 ms',
    'CPU of one core',
    'CPU ms per audio s',
    'PSS MiB, idle / loaded',
    'verdict',
  ];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    `\`${command}\`, ${date}, commit ${commit}, Node ${node}, ${machine}.`,
    '',
    line(head),
    line(head.map(() => '---')),
    ...rows.map(line),
    '',
  ].join('\n');
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}
