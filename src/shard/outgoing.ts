// What of a player is on its way out: its voice connection, and a mark for every frame queued there that has
// not left yet, so that frames can be taken back and the position follows what was really sent.
import { FRAME_MS } from '../shared/frame.js';
import type { Inspection } from '../shared/inspection.js';
import { Marks } from './marks.js';
import type { Playback } from './playback.js';
import type { FrameMode } from './voice/driver.js';
import type { VoiceLink } from './voice/voice-link.js';

/** A queue of at most so many frames is filled one by one, a longer one in proportion. */
const FRAMES_PER_BATCH = 5;
/** Of frames that never move the position: those of a track that was replaced. */
export const NO_GENERATION = -1;

export class Outgoing {
  readonly #marks = new Marks();
  #link: VoiceLink | null = null;
  /** Until the queue is full again. */
  #filling = true;
  /** Code with which the last connection ended by itself. */
  #lastClose: number | null = null;

  get connected(): boolean {
    return this.#link?.connection.connected ?? false;
  }

  get ping(): number {
    return this.#link?.connection.ping ?? -1;
  }

  /** Frames queued and not heard to have left. */
  get queued(): number {
    return this.#marks.count;
  }

  get hasRoom(): boolean {
    return (this.#link?.connection.room() ?? 0) > 0;
  }

  /** Clock time at which the queue runs out; Infinity without a connection. */
  runsOutAt(): number {
    return this.#link?.connection.runsOutAt() ?? Infinity;
  }

  /**
   * Clock time at which the queue is to be filled again; Infinity while nothing can be sent. A long queue is filled
   * several frames at once, so that a shard of a thousand players wakes no oftener than one of ten.
   */
  refillAt(now: number): number {
    const connection = this.#link?.connection;
    if (!connection?.connected) return Infinity;
    const room = connection.room();
    const batch = Math.ceil(connection.depth / FRAMES_PER_BATCH);
    if (room >= batch) this.#filling = true;
    else if (room === 0) this.#filling = false;
    if (this.#filling) return -Infinity;
    if (batch > 1) return now + (batch - room) * FRAME_MS;
    // There is room when the oldest frame has left. If that is late, look again a little later, do not spin.
    return Math.max(connection.runsOutAt() - (this.#marks.count - 1) * FRAME_MS, now + 1);
  }

  /** Queues the playback's next frame, to move the position if `tag` is the present one; false if it is not there. */
  push(playback: Playback, generation: number, tag: number): boolean {
    const start = playback.nextStart;
    const frame = playback.take();
    if (!frame || !this.#link) return false;
    const { mode } = playback;
    this.#marks.push(start, generation, mode);
    this.#link.connection.push(frame, Math.round((start + FRAME_MS / 1000) * 1000), tag, mode);
    return true;
  }

  /** Source seconds of the oldest queued frame. */
  get start(): number {
    return this.#marks.start;
  }

  get generation(): number {
    return this.#marks.generation;
  }

  get mode(): FrameMode {
    return this.#marks.mode;
  }

  /** Generation of the newest queued frame. */
  get newest(): number {
    return this.#marks.newest;
  }

  /** The oldest queued frame has left. */
  shift(): void {
    this.#marks.shift();
  }

  /** Takes the queued frames back; those of the playback are its next ones again. */
  takeBack(playback: Playback | null): void {
    this.#giveBack(this.#link?.connection.flush() ?? 0, playback);
  }

  /** The connection is gone, and what was queued with it: the playback's next frames again. */
  lost(playback: Playback | null): void {
    this.#giveBack(this.#marks.count, playback);
    this.#lastClose = this.#link?.closedWith ?? this.#lastClose;
    this.#link = null;
  }

  /** Frames of another track, or of before a seek, are nothing that the playback could give again. */
  #giveBack(count: number, playback: Playback | null): void {
    const own = this.#marks.takeBack(count, playback?.generation ?? NO_GENERATION);
    if (own) playback?.putBack(own.count, own.start);
  }

  /** For somebody who asks why nothing is heard. */
  inspect(): Pick<Inspection, 'voice' | 'lastClose'> {
    return { voice: this.#link?.connection.inspect() ?? null, lastClose: this.#lastClose };
  }

  /** Silence after what is queued, then speaking off. */
  quiet(): void {
    if (this.connected) this.#link?.connection.finish();
  }

  open(link: VoiceLink): void {
    this.#link = link;
  }

  close(): void {
    this.#link?.close();
    this.#link = null;
    this.#marks.clear();
  }
}
