// Readers of whole paths with a value each: `.properties` text and the `--a.b=c` of the command line. Pure;
// main thread, at start and at a reload.
import type { FlatEntry, Raw, RawEntry, Where } from './raw.js';
import { scalar } from './raw.js';

/** One path with its value, before list indices are gathered. */
interface Pair {
  readonly key: string;
  readonly value: string;
  readonly where: Where;
}

/** The entries of a `.properties` text (comments, continuation lines and escapes as in Java). */
export function readProperties(text: string, source: string): readonly FlatEntry[] {
  const pairs: Pair[] = [];
  const lines = text.split(/\r\n|\r|\n/);
  for (let index = 0; index < lines.length; index += 1) {
    const start = index;
    let line = (lines[index] ?? '').trimStart();
    if (line === '' || line.startsWith('#') || line.startsWith('!')) continue;
    while (continues(line) && index + 1 < lines.length) {
      index += 1;
      line = line.slice(0, -1) + (lines[index] ?? '').trimStart();
    }
    const found = /^((?:\\.|[^\\\s=:])*)(?:\s*[=:]\s*|\s+|$)(.*)$/s.exec(line);
    if (found === null) continue;
    const where = { source, line: start + 1, column: (lines[start] ?? '').search(/\S/) + 1 };
    pairs.push({ key: unescape(found[1] ?? ''), value: unescape(found[2] ?? ''), where });
  }
  return gather(pairs);
}

/** The entries of property arguments, given without their leading dashes. */
export function readPropertyArguments(
  properties: readonly (readonly [key: string, value: string])[],
): readonly FlatEntry[] {
  const where = { source: 'command line', line: null, column: null };
  return gather(properties.map(([key, value]) => ({ key, value, where })));
}

/** An odd number of backslashes at the end joins the next line. */
const continues = (line: string): boolean => ((/\\*$/.exec(line)?.[0].length ?? 0) & 1) === 1;

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f' };

const unescape = (text: string): string =>
  text.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/gs, (_, code: string | undefined, letter: string | undefined) =>
    code === undefined ? (ESCAPES[letter ?? ''] ?? letter ?? '') : String.fromCharCode(parseInt(code, 16)),
  );

/** Turns `list[0]` and `list[0].field` into one entry per list; everything else is an entry of its own. */
function gather(pairs: readonly Pair[]): readonly FlatEntry[] {
  const entries: FlatEntry[] = [];
  const lists = new Map<string, { where: Where; items: Map<number, Pair[]> }>();
  for (const pair of pairs) {
    const found = /^([^[\]]+)\[(\d{1,4})\](?:\.(.+))?$/s.exec(pair.key);
    if (found === null) {
      const segments = pair.key.split('.');
      entries.push({ segments, where: pair.where, value: scalar(pair.value, pair.where) });
      continue;
    }
    const name = found[1] ?? '';
    const list = lists.get(name) ?? { where: pair.where, items: new Map<number, Pair[]>() };
    lists.set(name, list);
    const index = Number(found[2]);
    list.items.set(index, [...(list.items.get(index) ?? []), { ...pair, key: found[3] ?? '' }]);
  }
  for (const [name, list] of lists) {
    const items = [...list.items.entries()]
      .sort(([a], [b]) => a - b)
      .map(([, of]) => listItem(of, list.where));
    entries.push({
      segments: name.split('.'),
      where: list.where,
      value: { kind: 'list', items, where: list.where },
    });
  }
  return entries;
}

function listItem(pairs: readonly Pair[], where: Where): Raw {
  const bare = pairs.find((pair) => pair.key === '');
  if (bare !== undefined) return scalar(bare.value, bare.where);
  const entries: RawEntry[] = pairs.map((pair) => ({
    key: pair.key,
    where: pair.where,
    value: scalar(pair.value, pair.where),
  }));
  return { kind: 'map', entries, where };
}
