// Values as a person reads them, secrets masked; for messages, --print-config and --validate. Pure; main thread.
import type { ConfigValue, Row, Tree } from '../../shared/config-row.js';
import { numberText } from './convert.js';

const MASK = '***';
/** Names in free trees whose values may be credentials of plugins. */
const SECRET_NAME = /pass|secret|token|key|dsn|cookie|auth|credential|dc$|^arl$/i;

/** One line for a value; a secret that is set is `***`. */
export function showValue(row: Row, value: ConfigValue): string {
  if (value === null) return 'none';
  if (row.type === 'tree') return JSON.stringify(masked(value as Tree));
  if (row.secret) return MASK;
  if (typeof value === 'number') return numberText(row, value);
  if (typeof value === 'string') return /^[\w./*:@%+-]+$/.test(value) ? value : JSON.stringify(value);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function masked(tree: Tree): Tree {
  if (tree === null || typeof tree === 'string') return tree;
  if (Array.isArray(tree)) return tree.map((item: Tree) => masked(item));
  return Object.fromEntries(
    Object.entries(tree).map(([name, value]: [string, Tree]) => [
      name,
      typeof value === 'string' && SECRET_NAME.test(name) ? MASK : masked(value),
    ]),
  );
}
