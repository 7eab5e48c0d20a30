// One connection's place on the pacer's grid: a queue of two frames, the next due time, and what happens
// when it comes (a frame, a silence frame, a miss). Called by the pacer's timer and by the connection, in
// a shard. Knows nothing of sockets; allocates nothing per frame.

import type { Clock } from '../../shared/clock.js';
import { ServerError } from '../../shared/errors.js';
import { FRAME_MS } from '../../shared/frame.js';
import type { RingInspection } from '../../shared/inspection.js';
import { PLAYBACK, VOICE } from '../../shared/limits.js';
import { DRIVER, bucketOf, count } from '../../shared/driver-words.js';
import type { SentRow } from '../../shared/sent-row.js';
import type { GiveUp } from './driver.js';

/** Silence frames after the last frame (discord-voice.md §1.9). */
const SILENCE_FRAMES = 5;

/** The nearest that the next frame may come after a burst, so that the burst does not grow by one. */
const AFTER_BURST_MS = FRAME_MS / 2;

/** The Opus frame of 20 ms of silence; the library knows it by its bytes and does not encrypt it twice. */
export const SILENCE: Uint8Array = Buffer.from([0xf8, 0xff, 0xfe]);

/**
 * sent: it left. held: nothing may leave now, try it again next slot. It is gone and did not leave: withheld, for
 * nobody could have decrypted it, or failed, for it could not be sealed or sent.
 */
export const SendResult = { sent: 0, held: 1, withheld: 2, failed: 3 } as const;
export type SendResult = (typeof SendResult)[keyof typeof SendResult];

/** Where a lane's frames go and who hears of them. Called from the pacer's timer only. */
export interface PacedOutput {
  /** Sends one frame. `gap` is how many whole frames of time passed without one since the last. */
  send(frame: Uint8Array, gap: number): SendResult;
  /** The last silence frame has left: speaking goes off. */
  quiet(): void;
  onSent(at: number): void;
  onGivenUp(at: number, why: GiveUp): void;
  onMissed(): void;
}

/** A queued frame of the player, and where it ends in the source. */
interface Waiting {
  frame: Uint8Array | null;
  sourceMs: number;
  tag: number;
}

/** What a lane needs of the pacer. Times are whole milliseconds since the grid's origin. */
export interface LaneGrid {
  readonly clock: Clock;
  readonly counters: Float64Array;
  timeOf(tick: number): number;
  /** The first tick of the slot that is not in the past. */
  nextTick(slot: number): number;
  started(lane: PacedLane): void;
  rested(lane: PacedLane): void;
}

/** shut: frames are not accepted (not connected). parked: nothing to send. running: served at every slot. */
type Mode = 'shut' | 'parked' | 'running' | 'removed';

export class PacedLane {
  /** The millisecond of every 20 in which this lane sends. */
  readonly slot: number;
  readonly #grid: LaneGrid;
  readonly #output: PacedOutput;
  readonly #row: SentRow | null;
  #mode: Mode = 'shut';
  #first: Waiting = { frame: null, sourceMs: 0, tag: 0 };
  #second: Waiting = { frame: null, sourceMs: 0, tag: 0 };
  /** Tick of the next slot; while parked, of the slot after the last frame, or -1 before the first. */
  #due = -1;
  #gap = 0;
  #finishing = false;
  #silenceLeft = 0;
  /** A frame has left since the lane was parked last. */
  #voiced = false;

  /** `row` hears of what leaves, but for silence. */
  constructor(slot: number, grid: LaneGrid, output: PacedOutput, row: SentRow | null) {
    this.slot = slot;
    this.#grid = grid;
    this.#output = output;
    this.#row = row;
  }

  get due(): number {
    return this.#due;
  }

  get running(): boolean {
    return this.#mode === 'running';
  }

  /** Whether frames are accepted at all. */
  get open(): boolean {
    return this.#mode === 'running' || this.#mode === 'parked';
  }

  room(): number {
    return this.open ? VOICE.discordjsQueue - this.#queued() : 0;
  }

  /** As it were a send ring; when something left last its owner knows. */
  inspect(): Omit<RingInspection, 'sentAgeMs'> {
    const queued = this.#queued();
    return { open: this.open, queued, waiting: 0, room: this.room(), head: null, underruns: null };
  }

  push(frame: Uint8Array, sourceMs: number, tag: number): void {
    if (this.#mode === 'removed') return;
    if (this.room() === 0) {
      throw new ServerError('PUM_VOICE_FAILED', {}, new RangeError('a frame was pushed without room for it'));
    }
    const place = this.#first.frame === null ? this.#first : this.#second;
    place.frame = frame;
    place.sourceMs = sourceMs;
    place.tag = tag;
    this.#finishing = false;
    if (this.#mode === 'parked') this.#start();
  }

  runsOutAt(): number {
    const now = this.#grid.clock.now();
    const queued = this.#queued();
    if (queued === 0) return now;
    const first = this.#mode === 'running' ? this.#grid.timeOf(this.#due) : now;
    return Math.max(now, first + (queued - 1) * FRAME_MS);
  }

  flush(): number {
    const queued = this.#queued();
    this.#first.frame = null;
    this.#second.frame = null;
    return queued;
  }

  finish(): void {
    if (this.#finishing || this.#mode === 'removed') return;
    if (this.#queued() === 0 && !this.#voiced) {
      this.#park();
      return;
    }
    this.#finishing = true;
    this.#silenceLeft = SILENCE_FRAMES;
  }

  /** Frames are accepted from now on; what was queued before a reconnection goes out. */
  enable(): void {
    if (this.#mode !== 'shut') return;
    this.#mode = 'parked';
    // A new voice session starts its timestamps at random and knows of no earlier frame.
    this.#due = -1;
    this.#gap = 0;
    this.#voiced = false;
    if (this.#queued() > 0) this.#start();
    else this.#finishing = false;
  }

  /** Nothing leaves until enable(); the queue stays. */
  disable(): void {
    if (this.#mode === 'running') this.#grid.rested(this);
    if (this.#mode !== 'removed') this.#mode = 'shut';
  }

  /** The end: forgets the queue and is never served again. */
  remove(): void {
    this.disable();
    this.#mode = 'removed';
    this.flush();
  }

  /** Called by the pacer in this lane's slot: sends what is due, at most three frames after a stall. */
  serve(): void {
    const { clock, counters } = this.#grid;
    let left = 0;
    while (this.#mode === 'running' && left < PLAYBACK.maxBurst) {
      const late = clock.now() - this.#grid.timeOf(this.#due);
      if (late < 0 || !this.#step(late, left)) break;
      left++;
    }
    if (left > 1) count(counters, DRIVER.bursts);
    if (this.#mode === 'running') this.#rebase(left);
  }

  /** One due slot; false when the lane has nothing more to send in this turn. */
  #step(late: number, left: number): boolean {
    const first = this.#first;
    const { frame } = first;
    if (frame !== null) {
      const result = this.#output.send(frame, this.#gap);
      if (result === SendResult.held) return this.#pass();
      // A callback above this loop may have ended the lane or taken the frame back.
      if (first.frame !== frame) return false;
      first.frame = null;
      this.#first = this.#second;
      this.#second = first;
      this.#leave(result, late, DRIVER.sent);
      const now = this.#grid.clock.now();
      if (result === SendResult.sent) {
        this.#row?.sent(first.sourceMs, first.tag, now, late);
        this.#output.onSent(now);
      } else {
        this.#output.onGivenUp(now, result === SendResult.failed ? 'socket' : 'ring');
      }
      return true;
    }
    if (!this.#finishing) {
      if (left > 0) return false;
      count(this.#grid.counters, DRIVER.missed);
      this.#row?.emptied();
      this.#pass();
      this.#output.onMissed();
      return false;
    }
    if (this.#voiced && this.#silenceLeft > 0) {
      const result = this.#output.send(SILENCE, this.#gap);
      if (result === SendResult.held) return this.#pass();
      this.#leave(result, late, DRIVER.silence);
      if (--this.#silenceLeft > 0) return true;
      this.#park();
      this.#output.quiet();
      return false;
    }
    this.#park();
    return false;
  }

  /** The slot goes by without a frame. */
  #pass(): false {
    this.#gap++;
    this.#due += FRAME_MS;
    return false;
  }

  #leave(result: SendResult, late: number, word: number): void {
    this.#due += FRAME_MS;
    if (result !== SendResult.sent) {
      this.#gap++;
      return;
    }
    const counters = this.#grid.counters;
    this.#gap = 0;
    this.#voiced = true;
    count(counters, word);
    count(counters, DRIVER.late + bucketOf(late));
    if (late > (counters[DRIVER.maxLate] ?? 0)) counters[DRIVER.maxLate] = late;
  }

  /**
   * After a stall: gives up the slots that are past, so that the frames are late and not lost (decision D9).
   * Whole slots only, for after a stall of the whole thread every lane comes here, and they stay spread.
   */
  #rebase(left: number): void {
    const next = this.#grid.timeOf(this.#due);
    const now = this.#grid.clock.now();
    if (next > now && left < PLAYBACK.maxBurst) return;
    const short = now + AFTER_BURST_MS - next;
    if (short <= 0) return;
    const slots = Math.ceil(short / FRAME_MS);
    this.#due += slots * FRAME_MS;
    const counters = this.#grid.counters;
    counters[DRIVER.skipped] = (counters[DRIVER.skipped] ?? 0) + slots;
  }

  #start(): void {
    const due = this.#grid.nextTick(this.slot);
    if (this.#due >= 0) this.#gap += Math.max(0, Math.round((due - this.#due) / FRAME_MS));
    // Right after a burst the next slot of the grid may have been given away already.
    this.#due = Math.max(due, this.#due);
    this.#mode = 'running';
    this.#grid.started(this);
  }

  #park(): void {
    this.#finishing = false;
    this.#voiced = false;
    if (this.#mode !== 'running') return;
    this.#mode = 'parked';
    this.#grid.rested(this);
  }

  #queued(): number {
    if (this.#first.frame === null) return 0;
    return this.#second.frame === null ? 1 : 2;
  }
}
