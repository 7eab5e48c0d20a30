// What a shard and its sender say to each other. Types only: a shard calls a SenderControl and hears a
// SenderListener, whether the sender runs in a thread of its own (sender-port.ts, serve-port.ts) or in the
// shard. Frames never come this way: they are in the send rings.

import type { RowPlace } from '../../shared/sent-row.js';

/** What a shard tells its sender. `ring` is an index in the slab that both have. */
export interface SenderControl {
  /** What lies in the rings is sent even when the shard's thread is gone. */
  readonly outlivesShard: boolean;
  /**
   * IP discovery for this ring's SSRC (discord-voice.md §1.6): one try a second, until `discovered` is told or
   * the ring is closed. A second call replaces the first.
   */
  discover(ring: number, address: string, port: number, ssrc: number): void;
  /**
   * Frames and keepalives of this ring go there from now on, and what leaves is written into the player's row, if
   * it has one. May come again with another place.
   */
  open(ring: number, address: string, port: number, row: RowPlace | null): void;
  /** There are packets in the ring, which had none: it was never started, or END was sent, or it ran empty. */
  start(ring: number): void;
  /** The writer has closed the ring: everything about it is forgotten, then `closed` is told, once. */
  close(ring: number): void;
}

/** What a sender tells a shard. */
export interface SenderListener {
  /** Our own address as the voice server sees it. */
  discovered(ring: number, address: string, port: number): void;
  /** The packet marked END has left and nothing lies behind it. Also said to a `start` that found nothing. */
  quiet(ring: number): void;
  /** The ring may be given to another player. */
  closed(ring: number): void;
}

/** SenderControl as posted messages, from a shard. */
export type SenderRequest =
  | {
      readonly op: 'discover';
      readonly ring: number;
      readonly address: string;
      readonly port: number;
      readonly ssrc: number;
    }
  | {
      readonly op: 'open';
      readonly ring: number;
      readonly address: string;
      readonly port: number;
      readonly row: RowPlace | null;
    }
  | { readonly op: 'start' | 'close'; readonly ring: number };

/** SenderListener as posted messages, to a shard. */
export type SenderReport =
  | { readonly op: 'discovered'; readonly ring: number; readonly address: string; readonly port: number }
  | { readonly op: 'quiet' | 'closed'; readonly ring: number };
