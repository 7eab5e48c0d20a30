// The frames of one voice session on their way into its send ring: DAVE, then the transport's seal, then the
// ring, so far ahead as `bufferDurationMs` says (architecture §3). Made by a connection when it has its key,
// driven by the fill loop and by the driver's poll, in a shard. Sends nothing itself: the sender does.

import type { Clock } from '../../shared/clock.js';
import { DRIVER, count } from '../../shared/driver-words.js';
import { FRAME_MS, FRAME_SAMPLES } from '../../shared/frame.js';
import type { ConnectionInspection } from '../../shared/inspection.js';
import type { SealedRow } from '../../shared/sealed-row.js';
import { Mark, RingControl, type RingWriter } from '../../shared/send-ring.js';
import type { SenderControl } from '../sender/messages.js';
import type { DaveSession } from './dave-session.js';
import { FrameMode, type GiveUp } from './driver.js';
import { EntryKind, isFrame, type OutQueue } from './out-queue.js';
import { SILENCE } from './paced-lane.js';
import { SCRATCH, SEAL_OVERHEAD, type Sealer } from './seal.js';

/** Silence frames behind the last frame (discord-voice.md §1.9). */
const SILENCE_FRAMES = 5;
/** The most that DAVE adds to a frame: tag, nonce, size, marker (discord-voice.md §2.3). */
const DAVE_OVERHEAD = 16;

export interface StreamListener {
  onSent(at: number): void;
  onGivenUp(at: number, why: GiveUp): void;
  onMissed(isBlocked: boolean): void;
  /** Speaking is to be switched on, or off. */
  onSpeaking(on: boolean): void;
}

export interface StreamParts {
  readonly clock: Clock;
  /** The connection's: what lies in it, an earlier session has not sent. */
  readonly queue: OutQueue;
  readonly ring: RingWriter;
  readonly control: SenderControl;
  readonly sealer: Sealer;
  readonly dave: DaveSession;
  readonly ssrc: number;
  /** Frames that may lie ahead. */
  readonly lead: number;
  readonly counters: Float64Array;
  /** Hears of what lies in the ring; null where that ends with this shard. */
  readonly row: SealedRow | null;
  readonly listener: StreamListener;
}

export class NativeStream {
  readonly #parts: StreamParts;
  readonly #queue: OutQueue;
  /** The ring's head when it was looked at last. */
  #head: number;
  #underruns: number;
  /** Something has left since the ring was begun: only then is there a time from which a gap counts. */
  #started = false;
  /** Five silence frames are queued, or nothing was ever sent that they should follow. */
  #finished: boolean;
  #speaking = false;
  /** Clock time from which frames wait for the DAVE group, or are given up, slot by slot; -1 for not. */
  #waitsSince = -1;

  constructor(parts: StreamParts) {
    this.#parts = parts;
    const { queue } = parts;
    this.#queue = queue;
    this.#finished = queue.count === 0 || !isFrame(queue.kind(queue.count - 1));
    this.#head = parts.ring.head;
    this.#underruns = parts.ring.underruns;
  }

  room(): number {
    if (this.#queue.full) return 0;
    // What has left and was not looked at yet is no longer ahead.
    const left = (this.#parts.ring.head - this.#head) | 0;
    return Math.max(0, this.#parts.lead - (this.#queue.frames - left));
  }

  push(frame: Uint8Array, sourceMs: number, tag: number, mode: FrameMode): void {
    this.#queue.push(frame, sourceMs, tag, mode);
    this.#finished = false;
    this.#pump();
  }

  /** Finished, and not all of it has left. */
  get isEnding(): boolean {
    return this.#finished && this.#queue.count > 0;
  }

  /** Clock time at which the last queued frame has had its slot; now when there is none. */
  runsOutAt(): number {
    const { ring, clock } = this.#parts;
    const now = clock.now();
    const ahead = this.#queue.count - ((ring.head - this.#head) | 0);
    if (ahead <= 0) return now;
    const next = this.#started ? Math.max(now, this.#lastSentAt(now) + FRAME_MS) : now;
    return next + (ahead - 1) * FRAME_MS;
  }

  /** Takes back every frame of the player that has not left; returns how many. Silence behind them stays. */
  flush(): number {
    const keep = this.#revoke();
    const cut = this.#queue.count - keep;
    const frames = this.#queue.cut(keep);
    if (this.#finished && cut > frames) this.#pushSilence(cut - frames);
    return frames;
  }

  finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#pushSilence(SILENCE_FRAMES);
  }

  /** The way frames must leave has changed between plain and sealed: what has not left is sealed again. */
  reseal(): void {
    this.#revoke();
    this.#pump();
  }

  /** The sender has sent the last silence frame and found nothing behind it. */
  quiet(): void {
    this.poll();
    if (this.#parts.ring.queued > 0) this.#parts.control.start(this.#parts.ring.index);
    else if (this.#queue.count === 0) this.#speak(false);
  }

  /** Tells what has left since the last look, and seals what had to wait. */
  poll(): void {
    const { ring, clock, listener } = this.#parts;
    const now = clock.now();
    const sentAt = this.#lastSentAt(now);
    const head = ring.head;
    for (let left = (head - this.#head) | 0; left > 0; left--) {
      this.#head = (this.#head + 1) | 0;
      this.#started = true;
      if (this.#queue.count === 0) continue;
      this.#tellOldest(sentAt - (left - 1) * FRAME_MS);
    }
    const { underruns } = ring;
    // Frames that wait for the DAVE group are not missed; each is told when it is given up.
    const isMissed = this.#waitsSince < 0 && !this.#waits() && !this.#finished;
    for (let missed = (underruns - this.#underruns) | 0; missed > 0; missed--) {
      if (isMissed) listener.onMissed(this.#queue.sealed < this.#queue.count);
    }
    this.#underruns = underruns;
    this.#pump();
    this.#wait(now);
  }

  /** What is known of ring and speaking now; changes nothing. */
  inspect(): Pick<ConnectionInspection, 'speaking' | 'ring'> {
    const { ring, clock } = this.#parts;
    const now = clock.now();
    const started = this.#started || ring.head !== this.#head;
    return {
      speaking: this.#speaking,
      ring: {
        open: ring.control === RingControl.active,
        queued: ring.queued,
        waiting: this.#queue.count - this.#queue.sealed,
        room: this.room(),
        head: ring.head >>> 0,
        underruns: ring.underruns,
        sentAgeMs: started ? Math.max(0, Math.round(now - this.#lastSentAt(now))) : null,
      },
    };
  }

  /** Speaking is told again to a gateway that was away. */
  tellAgain(): void {
    this.#parts.listener.onSpeaking(this.#speaking);
  }

  /** Packets sealed under the key. */
  get nonces(): number {
    return this.#parts.ring.nonces;
  }

  /** Takes back what has not left, for the stream of another session, and tells the rest. Not from inside a call. */
  handOver(): void {
    const sentAt = this.#lastSentAt(this.#parts.clock.now());
    for (let left = this.#revoke(); left > 0; left--) this.#tellOldest(sentAt - (left - 1) * FRAME_MS);
  }

  /** Nothing more is sealed. */
  close(): void {
    this.#parts.row?.revoked();
    this.#parts.sealer.close();
  }

  /** The oldest entry has left at that time. */
  #tellOldest(at: number): void {
    const { listener } = this.#parts;
    const kind = this.#queue.shift();
    if (kind === EntryKind.frame) listener.onSent(at);
    else if (kind === EntryKind.unsealed) listener.onGivenUp(at, 'socket');
  }

  /** Takes back what the ring holds; returns how many entries had left by then, or are leaving. */
  #revoke(): number {
    const revoked = this.#parts.ring.flush();
    this.#parts.row?.revoked();
    this.#queue.sealed = Math.max(0, this.#queue.sealed - revoked);
    return this.#queue.sealed;
  }

  /** Seals what is queued, as far as ring and DAVE group let it. */
  #pump(): void {
    const queue = this.#queue;
    const way = this.#parts.dave.frameWay;
    const held = way === 'hold' || way === 'withheld';
    while (queue.sealed < queue.count) {
      const frame = queue.frame(queue.sealed);
      // Silence is never encrypted, and every listener accepts it (discord-voice.md §2.3).
      if (frame === null || (held && isFrame(queue.kind(queue.sealed)))) return;
      if (!this.#seal(frame, way === 'sealed')) return;
    }
  }

  #pushSilence(frames: number): void {
    for (let left = frames; left > 0 && !this.#queue.full; left--) {
      this.#queue.pushSilence(SILENCE, left === 1);
    }
    this.#pump();
  }

  /** The next entry of the queue, whose bytes are `frame`; false when the ring does not take it now. */
  #seal(frame: Uint8Array, encrypted: boolean): boolean {
    const { ring, sealer, dave, ssrc, control, counters, row } = this.#parts;
    const queue = this.#queue;
    const place = queue.sealed;
    const isOurs = isFrame(queue.kind(place));
    const offset = ring.room(frame.length + DAVE_OVERHEAD + SEAL_OVERHEAD);
    if (offset < 0) return false;
    let body = encrypted && isOurs ? dave.encrypt(frame) : frame;
    const isItself = body !== null;
    if (body === null) {
      // The group cannot encrypt it, ever: its slot is filled, or all that follows would wait for it.
      count(counters, DRIVER.failed);
      body = SILENCE;
    }
    const idle = ring.queued === 0;
    const timestamp = ring.timestamp(idle ? this.#gap() : 0);
    const length = sealer.seal(body, ring.sequence, timestamp, ssrc, ring.takeNonce());
    const end = queue.kind(place) === EntryKind.lastSilence ? Mark.end : 0;
    const mark = (isItself ? queue.mode(place) : FrameMode.silence) | end;
    const sourceMs = queue.sourceMs(place);
    const tag = queue.tag(place);
    ring.publish(SCRATCH, length, offset, timestamp, mark, sourceMs, tag);
    row?.sealed(sourceMs, tag);
    queue.seal(isItself);
    if (idle) {
      if (isOurs) this.#speak(true);
      control.start(ring.index);
    }
    return true;
  }

  /** Samples by which the timestamp goes on for the slots that went by without a packet. */
  #gap(): number {
    if (!this.#started && this.#head === this.#parts.ring.head) return 0;
    const now = this.#parts.clock.now();
    const slots = Math.round((now - this.#lastSentAt(now)) / FRAME_MS) - 1;
    return Math.max(0, slots) * FRAME_SAMPLES;
  }

  /** While the DAVE group is not ready, frames stand still for a while, and are then given up one by one. */
  #wait(now: number): void {
    if (!this.#waits()) {
      this.#waitsSince = -1;
      return;
    }
    const way = this.#parts.dave.frameWay;
    if (this.#waitsSince < 0) this.#waitsSince = now;
    for (; now - this.#waitsSince >= FRAME_MS; this.#waitsSince += FRAME_MS) {
      count(this.#parts.counters, way === 'hold' ? DRIVER.held : DRIVER.withheld);
      if (way === 'hold' || this.#queue.count === 0 || this.#queue.sealed > 0) continue;
      if (isFrame(this.#queue.shift())) this.#parts.listener.onGivenUp(now, 'ring');
    }
  }

  #waits(): boolean {
    const way = this.#parts.dave.frameWay;
    return (way === 'hold' || way === 'withheld') && this.#queue.count > 0;
  }

  #speak(on: boolean): void {
    if (on === this.#speaking) return;
    this.#speaking = on;
    this.#parts.listener.onSpeaking(on);
  }

  /** The ring keeps whole milliseconds in 32 bits. */
  #lastSentAt(now: number): number {
    return now - ((Math.floor(now) - this.#parts.ring.sentAt) | 0);
  }
}
