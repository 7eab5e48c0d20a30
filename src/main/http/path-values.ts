// Values in a request's path and query, read as Spring reads them for Lavalink (lavalink-v4.md §1.1, §1.2).
// Pure functions; called by the handlers on the main thread.
import { ServerError } from '../../shared/errors.js';

const LONG_MIN = -(2n ** 63n);
const LONG_MAX = 2n ** 63n - 1n;
const SNOWFLAKE = /^[+-]?\d{1,20}$/;

const TRUE = new Set(['true', 'on', 'yes', '1']);
const FALSE = new Set(['false', 'off', 'no', '0', '']);

/** A 64-bit number in decimal as Java prints it, or null when the text is none. */
export function snowflake(text: string): string | null {
  const digits = text.trim();
  if (!SNOWFLAKE.test(digits)) return null;
  const value = BigInt(digits.replace(/^\+/, ''));
  return value < LONG_MIN || value > LONG_MAX ? null : value.toString();
}

/** Throws PUM_HTTP_BAD_REQUEST. */
export function guildId(text: string): string {
  const guild = snowflake(text);
  if (guild !== null) return guild;
  throw new ServerError('PUM_HTTP_BAD_REQUEST', { reason: 'Bad Request: the guild id is not a number' });
}

/** A switch in the query: absent is false. Throws PUM_HTTP_BAD_REQUEST. */
export function querySwitch(query: URLSearchParams, name: string): boolean {
  const value = query.get(name)?.trim().toLowerCase() ?? '';
  if (TRUE.has(value)) return true;
  if (FALSE.has(value)) return false;
  throw new ServerError('PUM_HTTP_BAD_REQUEST', { reason: `Bad Request: ${name} must be true or false` });
}
