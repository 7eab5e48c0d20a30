// A producer turns the packets of one reader into Opus frames, 20 ms each, for everybody who needs the same
// content: this track, these filters, this volume, these encoder settings. It is asked for one frame at a
// time by the fill loop, synchronously; it never waits.
import type { ServerError } from '../shared/errors.js';
import type { FrameMode } from './voice/driver.js';

/** What asking for a frame came to. */
export const Made = {
  frame: 0,
  /** The reader has brought too little so far. */
  starved: 1,
  ended: 2,
  /** Nothing more will come; `failure` says why. */
  failed: 3,
  /** A packet that cannot be handed on: an encoding producer must go on from here. */
  unfit: 4,
} as const;
export type Made = (typeof Made)[keyof typeof Made];

export interface Producer {
  readonly mode: FrameMode;
  /** Index that the next frame gets. */
  readonly made: number;
  make(): Made;
  /** A frame made before, or null when it has been dropped. Its bytes stay for as long as the buffer keeps it. */
  frame(index: number): Uint8Array | null;
  /** Source seconds at which a frame begins. */
  startOf(index: number): number;
  /** Why make() said `failed`. */
  readonly failure: ServerError | null;
  close(): void;
}
