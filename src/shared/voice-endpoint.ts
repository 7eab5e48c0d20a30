// Which voice servers a client may name: an endpoint against the operator's patterns
// (`pumice.voice.endpoints`). Main asks before it answers a PATCH (400), the shard's guard again before it
// connects. Pure text: no name is looked up here.

/** A voice endpoint that a pattern allows. */
export interface VoiceEndpoint {
  /** Lower case, without a trailing dot; an IPv6 address without brackets. */
  readonly host: string;
  /** 443 where the endpoint names none. */
  readonly port: number;
  /** The pattern spells this very host: the operator means it, even if its address is not public. */
  readonly literal: boolean;
}

const DEFAULT_PORT = 443;
const MAX_ENDPOINT = 255;

/**
 * The endpoint if a pattern allows it, else null. A pattern is `host`, `host:port` or `host:*`; no port means
 * any. `*.name` is every name below `name`, `*` every host; an IPv6 address stands in brackets.
 */
export function matchVoiceEndpoint(patterns: readonly string[], endpoint: string): VoiceEndpoint | null {
  const asked = split(endpoint);
  if (asked === null || asked.port === '*' || asked.host.includes('*')) return null;
  const port = asked.port ?? DEFAULT_PORT;
  let loose: VoiceEndpoint | null = null;
  for (const text of patterns) {
    const pattern = split(text.trim());
    if (pattern === null) continue;
    if (pattern.port !== null && pattern.port !== '*' && pattern.port !== port) continue;
    if (pattern.host === asked.host) return { host: asked.host, port, literal: true };
    if (coveredBy(pattern.host, asked.host)) loose ??= { host: asked.host, port, literal: false };
  }
  return loose;
}

function coveredBy(pattern: string, host: string): boolean {
  if (pattern === '*') return true;
  return pattern.startsWith('*.') && host.endsWith(pattern.slice(1)) && host.length > pattern.length - 1;
}

interface Parts {
  readonly host: string;
  readonly port: number | '*' | null;
}

function split(text: string): Parts | null {
  if (text.length > MAX_ENDPOINT) return null;
  const match = /^(?:\[([0-9a-f:.]+)\]|((?:\*|[a-z0-9_-]+)(?:\.[a-z0-9_-]+)*)\.?)(?::(\*|\d{1,5}))?$/i.exec(
    text,
  );
  if (match === null) return null;
  const host = (match[1] ?? match[2] ?? '').toLowerCase();
  const digits = match[3];
  if (digits === undefined) return { host, port: null };
  if (digits === '*') return { host, port: '*' };
  const port = Number(digits);
  return port >= 1 && port <= 65_535 ? { host, port } : null;
}
