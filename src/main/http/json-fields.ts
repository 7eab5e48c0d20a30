// Reads one field of a request's JSON the way kotlinx-serialization does for Lavalink (lavalink-v4.md §0 and
// §1.5): quoted numbers and booleans pass, fractions and exponents that are no whole number do not, null only
// where the field may be null. Pure functions; every refusal is PUM_HTTP_BAD_REQUEST naming the field.
import { ServerError } from '../../shared/errors.js';
import { float32 } from '../../shared/json.js';

export type JsonObject = Readonly<Record<string, unknown>>;

const INT_MIN = -(2n ** 31n);
const INT_MAX = 2n ** 31n - 1n;
const LONG_MIN = -(2n ** 63n);
const LONG_MAX = 2n ** 63n - 1n;

/** A number as kotlinx takes it for Int and Long: an exponent is allowed, a decimal point is not. */
const WHOLE = /^-?\d+(?:[eE][+-]?\d+)?$/;
/** A number as Java's parser takes it for Float and Double, written in a string. */
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?$/;
/** Exponents beyond this overflow every type here; it also keeps the arithmetic short. */
const MAX_EXPONENT = 400;
const MAX_DIGITS = 400;

export function refuse(path: string, what: string): ServerError {
  return new ServerError('PUM_HTTP_BAD_REQUEST', { reason: `Bad Request: ${path} ${what}` });
}

/** The value of an object's own field, undefined when it is absent. */
export function field(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

export function readObject(value: unknown, path: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refuse(path, 'must be an object');
  }
  return value as JsonObject;
}

export function readArray(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw refuse(path, 'must be an array');
  return value;
}

export function readString(value: unknown, path: string): string {
  if (typeof value !== 'string') throw refuse(path, 'must be a string');
  return value;
}

/** An Int: 32 bits. */
export function readInt(value: unknown, path: string): number {
  return Number(readWhole(value, path, INT_MIN, INT_MAX));
}

/** A Long: 64 bits. */
export function readLong(value: unknown, path: string): bigint {
  return readWhole(value, path, LONG_MIN, LONG_MAX);
}

export function readBoolean(value: unknown, path: string): boolean {
  if (typeof value === 'boolean') return value;
  const text = typeof value === 'string' ? value.toLowerCase() : null;
  if (text === 'true') return true;
  if (text === 'false') return false;
  throw refuse(path, 'must be true or false');
}

/** A Double; NaN and the infinities are refused as kotlinx refuses them. */
export function readDouble(value: unknown, path: string): number {
  const number = decimal(value);
  if (number === null || !Number.isFinite(number)) throw refuse(path, 'must be a number');
  return number;
}

/** A Float: 32 bits, rounded as the client will see it echoed. */
export function readFloat(value: unknown, path: string): number {
  const number = decimal(value);
  const rounded = number === null ? NaN : float32(number);
  if (!Number.isFinite(rounded)) throw refuse(path, 'must be a number');
  return rounded;
}

function decimal(value: unknown): number | null {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'string') return null;
  const text = value.trim();
  return DECIMAL.test(text) ? Number(text.replace(/[fFdD]$/, '')) : null;
}

function readWhole(value: unknown, path: string, least: bigint, most: bigint): bigint {
  const whole = wholeOf(value);
  if (whole === null) throw refuse(path, 'must be a whole number');
  if (whole < least || whole > most) throw refuse(path, `must lie between ${least} and ${most}`);
  return whole;
}

function wholeOf(value: unknown): bigint | null {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : null;
  if (typeof value !== 'string' || value.length > MAX_DIGITS || !WHOLE.test(value)) return null;
  const [digits = '', power = '0'] = value.toLowerCase().split('e');
  const exponent = Number(power);
  const whole = BigInt(digits);
  if (exponent === 0 || whole === 0n) return whole;
  // Too large for every type: any value out of range is refused the same way.
  if (exponent > MAX_EXPONENT) return whole > 0n ? LONG_MAX + 1n : LONG_MIN - 1n;
  if (exponent > 0) return whole * 10n ** BigInt(exponent);
  if (exponent < -MAX_EXPONENT) return null;
  const divisor = 10n ** BigInt(-exponent);
  return whole % divisor === 0n ? whole / divisor : null;
}
