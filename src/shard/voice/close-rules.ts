// What follows when a voice gateway closes (decision D8, discord-voice.md §1.5), as a pure table, and how
// long to wait between tries. Used by the voice drivers in a shard.

import { VOICE } from '../../shared/limits.js';

/**
 * end: the listener is told and nothing more is tried. resume: the same session goes on. resumeOnce: the
 * same, but a second time ends it. identify: our own fault; one fresh session, then the end.
 */
export type CloseRule = 'end' | 'resume' | 'resumeOnce' | 'identify';

const RULES: ReadonlyMap<number, CloseRule> = new Map<number, CloseRule>([
  [1000, 'end'],
  [4000, 'resume'],
  [4001, 'identify'],
  [4002, 'identify'],
  [4003, 'identify'],
  [4004, 'end'],
  [4005, 'identify'],
  [4006, 'end'],
  [4009, 'resumeOnce'],
  [4011, 'end'],
  [4012, 'identify'],
  [4013, 'resume'],
  [4014, 'end'],
  [4015, 'resume'],
  [4016, 'identify'],
  [4017, 'end'],
  [4020, 'identify'],
  [4021, 'end'],
  [4022, 'end'],
]);

/** Codes below 4000 come from the network; one that Discord invents later ends the connection. */
export function closeRule(code: number): CloseRule {
  return RULES.get(code) ?? (code < 4000 ? 'resume' : 'end');
}

/**
 * Milliseconds before try number `attempt` (1, 2, …). `random` in [0, 1) spreads the tries of many
 * connections over a quarter to either side.
 */
export function resumeDelay(attempt: number, first: number, random: number): number {
  const plain = Math.min(first * 2 ** (attempt - 1), VOICE.resumeLastDelay);
  return plain * (0.75 + random / 2);
}
