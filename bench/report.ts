// Writes the tables of bench/README.md from the raw results in bench/results/: no figure there is typed by
// hand. Every bench calls it; `npm run bench -- report` does it alone. It measures nothing.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TABLES, type Table } from './report-tables.js';
import type { Kept } from './results.js';

export const RESULTS = 'bench/results';
const README = 'bench/README.md';
const BEGIN = '<!-- made by bench/report.ts: begin -->';
const END = '<!-- end -->';

/** From the checkout's root. */
export async function writeReport(): Promise<void> {
  const kept: Kept<never>[] = [];
  for (const name of (await readdir(RESULTS)).filter((name) => name.endsWith('.json')).sort()) {
    kept.push(JSON.parse(await readFile(join(RESULTS, name), 'utf8')) as Kept<never>);
  }
  const sections = Object.entries(TABLES).flatMap(([bench, table]) => {
    const own = kept.filter((result) => (result.table ?? result.bench) === bench);
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

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeReport();
