// What loading a configuration finds wrong or worth saying. Every step of the loader adds to one Findings; the
// report prints it. Main thread, at start and at a reload.
import { whereText } from './raw.js';
import type { Where } from './raw.js';

/** Something that fails start-up. `path` is empty where no key is concerned. */
export interface Problem {
  readonly where: string;
  readonly path: string;
  readonly text: string;
}

export type NoticeKind = 'alias' | 'adjusted' | 'limited' | 'no effect' | 'no effect yet' | 'warning';

/** Something that does not fail start-up and that the operator should know. */
export interface Notice {
  readonly kind: NoticeKind;
  readonly path: string;
  readonly where: string;
  readonly text: string;
}

/** What the steps of loading find; they only add to it. */
export class Findings {
  readonly problems: Problem[] = [];
  readonly notices: Notice[] = [];

  problem(where: Where | string, path: string, text: string): void {
    this.problems.push({ where: typeof where === 'string' ? where : whereText(where), path, text });
  }

  notice(kind: NoticeKind, where: Where | string, path: string, text: string): void {
    this.notices.push({ kind, where: typeof where === 'string' ? where : whereText(where), path, text });
  }
}
