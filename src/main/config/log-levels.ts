// RUST_LOG and PUMICE_LOG as levels of loggers (settings-and-metrics.md §3.5): a level, or directives such as
// `warn,lavalink=debug`. They override logging.level. Completes the draft; main thread, at start and at a reload.
import type { ConfigValues } from '../../shared/config.js';
import { rowOf } from '../../shared/config.js';
import { findChoice } from './convert.js';
import type { Findings } from './findings.js';
import type { Draft } from './resolve.js';

type Level = ConfigValues['logging.level.root'];

/** The level a word names, in any case, or null. */
const findLevel = (word: string): Level | null =>
  findChoice(rowOf('logging.level.root'), word) as Level | null;

export function applyLogLevels(draft: Draft, findings: Findings): void {
  const { values, origins } = draft;
  for (const [logger, level] of Object.entries(values['logging.level'])) {
    if (typeof level === 'string' && findLevel(level) !== null) continue;
    const where = origins.get('logging.level')?.where ?? 'default';
    findings.notice('warning', where, `logging.level.${logger}`, 'is no level; ignored');
  }
  const directives = values.RUST_LOG;
  const origin = origins.get('RUST_LOG');
  if (directives === null || origin === undefined) return;
  const levels = new Map<string, string>();
  for (const directive of directives.split(',').map((part) => part.trim())) {
    if (directive === '') continue;
    const equals = directive.indexOf('=');
    const logger = equals === -1 ? 'root' : directive.slice(0, equals).trim().replaceAll('::', '.');
    const level = findLevel(directive.slice(equals + 1));
    if (level === null || logger === '') {
      findings.problem(
        origin.where,
        'RUST_LOG',
        `${JSON.stringify(directive)} is no level and no LOGGER=LEVEL`,
      );
    } else if (logger === 'root') {
      values['logging.level.root'] = level;
      origins.set('logging.level.root', origin);
    } else {
      levels.set(logger, level);
    }
  }
  if (levels.size === 0) return;
  values['logging.level'] = { ...values['logging.level'], ...Object.fromEntries(levels) };
  origins.set('logging.level', origin);
}
