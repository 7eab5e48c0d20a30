// A change of a group under way, and one that waits for it (discord-voice.md §2.4 items 7 and 8).
import type { KeyPackage } from './mls.js';

export interface Transition {
  readonly id: number;
  readonly recipients: readonly string[];
  readonly waiting: Set<string>;
  readonly timer: NodeJS.Timeout;
  readonly version: number;
}

export type Pending =
  | { readonly kind: 'add'; readonly keyPackage: KeyPackage }
  | { readonly kind: 'remove'; readonly userId: string };
