// The server's log: plain lines on a terminal, one JSON object a line otherwise. Masks secrets, and of one
// and the same warning or error lets one a second through, saying how many it held back. Main thread only;
// shards send their lines as notices. Writes where it is told to and never throws.
import type { Clock } from '../shared/clock.js';

export type LogLevel = 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'OFF';

export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

export interface Log {
  error(text: string, fields?: LogFields): void;
  warn(text: string, fields?: LogFields): void;
  info(text: string, fields?: LogFields): void;
  debug(text: string, fields?: LogFields): void;
  /** The same log under a further name, joined by a dot: its level can be set apart. */
  child(name: string): Log;
}

export interface LogOptions {
  readonly clock: Clock;
  /** `auto` is plain on a terminal and json elsewhere. */
  readonly format: 'auto' | 'plain' | 'json';
  readonly terminal: boolean;
  readonly level: LogLevel;
  /** Level per logger name; the longest name that is a dotted prefix decides. */
  readonly levels: Readonly<Record<string, string>>;
  /** Texts that must never be written; shorter than four characters are not masked. */
  readonly secrets: readonly string[];
  /** Takes one line without its end. */
  write(line: string): void;
}

const RANK: Readonly<Record<LogLevel, number>> = { TRACE: 0, DEBUG: 1, INFO: 2, WARN: 3, ERROR: 4, OFF: 5 };

/** The same warning at most once in this time, in milliseconds. */
const REPEAT_WINDOW = 1_000;
/** Different warnings remembered at once; beyond it the oldest is forgotten. */
const MAX_REMEMBERED = 256;
const MIN_SECRET = 4;

export const silentLog: Log = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
  child: () => silentLog,
};

export function createLog(options: LogOptions): Log {
  const json = options.format === 'json' || (options.format === 'auto' && !options.terminal);
  const secrets = options.secrets.filter((secret) => secret.length >= MIN_SECRET);
  const repeats = new Map<string, { until: number; held: number }>();

  function write(level: LogLevel, name: string, text: string, fields: LogFields): void {
    let line = json ? jsonLine(level, name, text, fields) : plainLine(level, name, text, fields);
    for (const secret of secrets) line = maskIn(line, secret, json);
    options.write(line);
  }

  function jsonLine(level: LogLevel, name: string, text: string, fields: LogFields): string {
    const time = new Date(options.clock.wall()).toISOString();
    return JSON.stringify({ time, level, logger: name, message: text, ...fields });
  }

  function plainLine(level: LogLevel, name: string, text: string, fields: LogFields): string {
    const time = new Date(options.clock.wall()).toISOString();
    const tail = Object.entries(fields).map(([key, value]) => ` ${key}=${oneLine(String(value))}`);
    return `${time} ${level.padEnd(5)} ${name}: ${oneLine(text)}${tail.join('')}`;
  }

  /** How many equal lines were held back, or null when this one is to be held back too. */
  function passed(key: string): number | null {
    const now = options.clock.now();
    const seen = repeats.get(key);
    if (seen && now < seen.until) {
      seen.held++;
      return null;
    }
    repeats.delete(key);
    repeats.set(key, { until: now + REPEAT_WINDOW, held: 0 });
    if (repeats.size > MAX_REMEMBERED) {
      const oldest = repeats.keys().next().value;
      if (oldest !== undefined) repeats.delete(oldest);
    }
    return seen?.held ?? 0;
  }

  function named(name: string): Log {
    const least = RANK[levelOf(name, options)];
    const at = (level: LogLevel) => {
      return (text: string, fields: LogFields = {}): void => {
        if (RANK[level] < least) return;
        if (RANK[level] < RANK.WARN) {
          write(level, name, text, fields);
          return;
        }
        const held = passed(`${level} ${name} ${text}`);
        if (held !== null) write(level, name, text, held > 0 ? { ...fields, repeated: held } : fields);
      };
    };
    return {
      error: at('ERROR'),
      warn: at('WARN'),
      info: at('INFO'),
      debug: at('DEBUG'),
      child: (part) => named(`${name}.${part}`),
    };
  }

  return named('pumice');
}

function levelOf(name: string, options: LogOptions): LogLevel {
  let best: LogLevel = options.level;
  let length = -1;
  for (const [prefix, text] of Object.entries(options.levels)) {
    const level = text.toUpperCase();
    const matches = name === prefix || name.startsWith(`${prefix}.`);
    if (matches && prefix.length > length && level in RANK) {
      best = level as LogLevel;
      length = prefix.length;
    }
  }
  return best;
}

/** A client's text must not be able to begin a line of its own. */
function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are exactly what is to be replaced
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

function maskIn(line: string, secret: string, json: boolean): string {
  const written = json ? JSON.stringify(secret).slice(1, -1) : oneLine(secret);
  return line.replaceAll(written, '***');
}
