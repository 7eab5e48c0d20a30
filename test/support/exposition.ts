// A strict reader of the Prometheus text format 0.0.4, written from its specification: anything that a scraper
// could refuse is an Error naming the line. For tests of the metrics page.

export interface Family {
  readonly type: string;
  readonly help: string;
  /** Value by the series' own text: name and labels as printed. */
  readonly series: ReadonlyMap<string, number>;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const TYPES: ReadonlySet<string> = new Set(['counter', 'gauge', 'histogram', 'summary', 'untyped']);
const SERIES = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/;

/** Families by name. Throws for a page that is not in the format, or in which a histogram contradicts itself. */
export function readExposition(page: string): Map<string, Family> {
  if (!page.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, { type: string; help: string; series: Map<string, number> }>();
  let open = '';
  let help: string | null = null;
  for (const line of page.split('\n')) {
    const fail = (what: string): never => {
      throw new Error(`${what}: ${line}`);
    };
    if (line === '') continue;
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (comment) {
      const [, kind, name = '', rest = ''] = comment;
      if (kind === 'HELP') {
        if (!NAME.test(name) || families.has(name)) fail('a second HELP, or no name');
        families.set(name, { type: '', help: rest, series: new Map() });
        help = name;
        open = name;
      } else {
        const family = families.get(name);
        if (help !== name || family === undefined || family.type !== '') return fail('TYPE without its HELP');
        if (!TYPES.has(rest)) fail('no such type');
        family.type = rest;
        help = null;
      }
      continue;
    }
    const [, name = '', labels = '', text = ''] = SERIES.exec(line) ?? fail('no series');
    const family = families.get(open);
    if (family === undefined || familyOf(name, family.type, open) !== open) return fail('outside its family');
    checkLabels(labels, fail);
    const key = line.slice(0, line.lastIndexOf(' '));
    if (family.series.has(key)) fail('a series twice');
    family.series.set(key, valueOf(text) ?? fail('no value'));
  }
  for (const [name, family] of families) checkFamily(name, family);
  return families;
}

function familyOf(name: string, type: string, open: string): string {
  if (type !== 'histogram' && type !== 'summary') return name;
  const part = name.slice(open.length);
  const parts = type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['', '_sum', '_count'];
  return name.startsWith(open) && parts.includes(part) ? open : name;
}

function checkLabels(labels: string, fail: (what: string) => never): void {
  const names = new Set<string>();
  for (let rest = labels; rest !== '';) {
    const [whole, name = ''] = LABEL.exec(rest) ?? fail('a broken label');
    if (names.has(name)) fail('a label twice');
    names.add(name);
    rest = rest.slice(whole.length);
  }
}

/** As Go's ParseFloat reads it, which knows the words for what is no number in any case. */
function valueOf(text: string): number | null {
  if (/^nan$/i.test(text)) return NaN;
  if (/^[+-]?inf$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  return /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : null;
}

function checkFamily(name: string, { type, series }: Family): void {
  if (type === '') throw new Error(`no TYPE for ${name}`);
  for (const [key, value] of series) {
    if (type === 'counter' && !(value >= 0)) throw new Error(`a counter below 0: ${key}`);
  }
  if (type !== 'histogram') return;
  const last = new Map<string, { le: number; count: number }>();
  for (const [key, count] of series) {
    if (!key.startsWith(`${name}_bucket`)) continue;
    const le = valueOf((/le="([^"]+)"/.exec(key)?.[1] ?? '').replace(/^\+/, '')) ?? NaN;
    const group = key.replace(/le="[^"]+",?/, '').replace(/[{},]+$/, '');
    const before = last.get(group) ?? { le: -Infinity, count: 0 };
    if (!(le > before.le) || count < before.count) throw new Error(`buckets out of order: ${key}`);
    last.set(group, { le, count });
  }
  for (const [group, { le, count }] of last) {
    const total = [...series].find(([key]) => {
      return key.replace(/[{}]+$/, '') === group.replace('_bucket', '_count');
    });
    if (le !== Infinity || total?.[1] !== count) throw new Error(`+Inf is not the count: ${group}`);
  }
}
