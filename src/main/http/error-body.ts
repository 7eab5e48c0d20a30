// Renders an error as Spring does for Lavalink's clients (lavalink-v4.md §1.1): the JSON error body, or nothing
// but the status for a missing or wrong password. Main thread; pure but for the time it is given.
import type { Clock } from '../../shared/clock.js';
import type { ServerError } from '../../shared/errors.js';
import { writeJson } from '../../shared/json.js';
import type { Reply, RequestLine } from './engine.js';
import { reasonPhrase } from './status.js';

/** When a field is part of the body: `on_param` if the query names it and does not say `false`. */
export type Inclusion = 'never' | 'always' | 'on_param';

export interface ErrorRendering {
  readonly clock: Clock;
  /** Whether `trace` shows files and lines instead of codes and messages (decision D10). */
  readonly traces: boolean;
  /** `server.error.include-stacktrace`; default on_param. */
  readonly includeTrace?: Inclusion;
  /** `server.error.include-message`; default always. */
  readonly includeMessage?: Inclusion;
  /** `server.error.include-exception`, the error's code; default false. */
  readonly includeException?: boolean;
}

const NO_MESSAGE = 'No message available';

export function errorReply(error: ServerError, line: RequestLine, rendering: ErrorRendering): Reply {
  const { status } = error;
  if (error.code === 'PUM_AUTH_MISSING' || error.code === 'PUM_AUTH_WRONG') {
    return { status, headers: {}, body: '' };
  }
  const { clock, includeTrace = 'on_param', includeMessage = 'always', includeException = false } = rendering;
  const body = {
    timestamp: clock.wall(),
    status,
    error: reasonPhrase(status),
    exception: includeException ? error.code : undefined,
    trace: isIncluded(includeTrace, 'trace', line) ? traceOf(error, rendering.traces) : undefined,
    message: isIncluded(includeMessage, 'message', line) ? error.message || NO_MESSAGE : undefined,
    path: line.path,
  };
  return { status, headers: { 'Content-Type': 'application/json' }, body: writeJson(body) };
}

function isIncluded(inclusion: Inclusion, parameter: string, { query }: RequestLine): boolean {
  if (inclusion !== 'on_param') return inclusion === 'always';
  const asked = new URLSearchParams(query).get(parameter);
  return asked !== null && asked.toLowerCase() !== 'false';
}

function traceOf(error: ServerError, withLines: boolean): string {
  return (withLines ? error.stack : undefined) ?? error.chain().join('\nCaused by: ');
}
