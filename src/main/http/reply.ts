// The few shapes that answers have. Pure; used by the handlers on the main thread. Headers that every answer
// bears are added in server.ts.
import { writeJson } from '../../shared/json.js';
import type { Reply } from './engine.js';

export function json(value: unknown, status = 200): Reply {
  return { status, headers: { 'Content-Type': 'application/json' }, body: writeJson(value) };
}

export function text(body: string, status = 200): Reply {
  return { status, headers: { 'Content-Type': 'text/plain;charset=ISO-8859-1' }, body };
}

export function empty(status: number): Reply {
  return { status, headers: {}, body: '' };
}
