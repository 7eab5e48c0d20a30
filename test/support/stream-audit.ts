// Checks one voice session's RTP stream as it arrives and counts it: authentication, nonce reuse, sequence,
// timestamps, speaking before RTP, DAVE, lateness (discord-voice.md §1.8, §1.9). Called by voice-session.ts for
// every datagram of its SSRC; what it finds ends in a report of plain data.

import { ArrivalGrid } from './arrival-grid.js';
import type { Lateness } from './arrival-grid.js';
import { NonceLedger } from './nonce-ledger.js';
import {
  OPUS_PAYLOAD_TYPE,
  RTP_OVERHEAD,
  SAMPLES_PER_FRAME,
  SILENCE_FRAME,
  SUFFIX_BYTES,
  readHeader,
} from './rtp-packet.js';
import type { RtpHeader } from './rtp-packet.js';

const MAX_VIOLATIONS = 50;
const MAX_SECONDS = 3_600;
const MAX_MISSING = 1_000;
/** Longer without a packet: the stream had paused or run dry, and its timestamp may jump. */
const GAP_MS = 30;
/** A frame may come this much before its time by the timestamps, in milliseconds. */
const EARLY_MS = 10;
const BURST_GAP_MS = 5;
const SILENCE_BEFORE_PAUSE = 5;
/** A group that has been settled for that long leaves no excuse for a frame its members cannot decrypt. */
const SETTLED_MS = 1_500;

export interface StreamCounts {
  packets: number;
  bytes: number;
  /** Packets that were authenticated; all of them unless `openEvery` is above 1. */
  opened: number;
  /** Packets that failed authentication; they count nowhere else. */
  bad: number;
  silenceFrames: number;
  plainFrames: number;
  daveFrames: number;
  /** DAVE frames that no listener could decrypt though one was in a group. */
  undecrypted: number;
  /** Plain frames that are not silence, while listeners and bot were in a settled group. */
  plainWhileActive: number;
  missing: number;
  duplicates: number;
  reordered: number;
  timestampFaults: number;
  /** Legal jumps: a multiple of 960 behind a pause. */
  timestampJumps: number;
  nonceReuses: number;
  /** RTCP packets that were authenticated, and those that were not. */
  rtcp: number;
  badRtcp: number;
  /** Frames other than silence while op 5 said that the bot does not speak. */
  beforeSpeaking: number;
  /** Most frames in a row less than 5 ms apart. */
  longestBurst: number;
}

export interface StreamReport extends StreamCounts {
  /** The first 50 faults in words. */
  violations: string[];
  violationCount: number;
  lateness: Lateness;
  /** Frames in each second since the first one. */
  perSecond: number[];
  /** performance.now() of the server's process. */
  firstAt: number | null;
  lastAt: number | null;
}

/** What the audit asks of its session. */
export interface StreamContext {
  readonly openEvery: number;
  readonly speakingGraceMs: number;
  /** The frame in a packet, or null when it does not authenticate. */
  unseal(packet: Buffer): Buffer | null;
  unsealRtcp(packet: Buffer): Buffer | null;
  /** Undefined: there is nobody who could; null: nobody of them could. */
  decrypt(frame: Buffer): Buffer | null | undefined;
  /** Milliseconds for which bot and listeners have been in a settled group; 0: they are not. */
  settledFor(now: number): number;
  received(frame: AuditedFrame): void;
  /** RTP without op 5 beyond the grace; once. */
  unspoken(): void;
}

export interface AuditedFrame {
  readonly sequence: number;
  readonly timestamp: number;
  readonly at: number;
  readonly dave: boolean;
  readonly silence: boolean;
  /** Null when nobody could decrypt it or the packet was not opened. */
  readonly opus: Buffer | null;
}

interface Last {
  readonly header: RtpHeader;
  readonly at: number;
}

export class StreamAudit {
  readonly #context: StreamContext;
  #nonces = new NonceLedger();
  readonly #missing = new Set<number>();
  #counts: StreamCounts = noCounts();
  #violations: string[] = [];
  #violationCount = 0;
  #grid = new ArrivalGrid();
  #perSecond: number[] = [];
  #firstAt: number | null = null;
  #last: Last | null = null;
  /** Steps of 20 ms by timestamp, for the grid. */
  #step = 0;
  #seen = 0;
  #silenceRun = 0;
  #burst = 0;
  #speaking = false;
  #unspokenSince: number | null = null;
  #toldUnspoken = false;

  constructor(context: StreamContext) {
    this.#context = context;
  }

  /** The newest five frames, or more, are silence. */
  get silent(): boolean {
    return this.#silenceRun >= SILENCE_BEFORE_PAUSE;
  }

  get speaking(): boolean {
    return this.#speaking;
  }

  get packets(): number {
    return this.#counts.packets;
  }

  /** The counts of report() as they stand now, without the work of a whole report. */
  get counts(): Readonly<StreamCounts> {
    return this.#counts;
  }

  get violations(): readonly string[] {
    return this.#violations;
  }

  get violationCount(): number {
    return this.#violationCount;
  }

  get grid(): ArrivalGrid {
    return this.#grid;
  }

  /** Op 5 of the bot. */
  setSpeaking(on: boolean): void {
    this.#speaking = on;
    if (on) this.#unspokenSince = null;
  }

  violation(text: string): void {
    this.#violationCount++;
    if (this.#violations.length < MAX_VIOLATIONS) this.#violations.push(text);
  }

  /** Op 4 has given the session another key; its nonces are all unused. */
  newKey(): void {
    this.#nonces = new NonceLedger();
  }

  /** RTCP uses nonces of the same key as RTP (§1.8). */
  rtcp(packet: Buffer): void {
    if (this.#context.unsealRtcp(packet) === null) {
      this.#counts.badRtcp++;
      this.violation('an RTCP packet does not authenticate');
      return;
    }
    this.#counts.rtcp++;
    this.#noteNonce(packet, 'an RTCP packet');
  }

  /** An RTP packet of this session's SSRC that arrived at `at`. */
  packet(packet: Buffer, at: number): void {
    const header = readHeader(packet);
    const open = this.#seen++ % this.#context.openEvery === 0;
    const payload = open ? this.#context.unseal(packet) : null;
    if (open && payload === null) {
      this.#counts.bad++;
      this.violation(`packet ${header.sequence} does not authenticate`);
      return;
    }
    if (header.payloadType !== OPUS_PAYLOAD_TYPE) {
      this.violation(`packet ${header.sequence} has payload type ${header.payloadType}`);
    }
    this.#count(packet, at);
    this.#noteNonce(packet, `packet ${header.sequence}`);
    const silence =
      payload === null
        ? packet.length === RTP_OVERHEAD + SILENCE_FRAME.length
        : payload.equals(SILENCE_FRAME);
    this.#order(header, at, silence);
    this.#checkSpeaking(header, at, silence);
    if (silence) this.#counts.silenceFrames++;
    this.#silenceRun = silence ? this.#silenceRun + 1 : 0;
    if (payload !== null) this.#frame(header, payload, silence, at);
  }

  report(): StreamReport {
    return {
      ...this.#counts,
      violations: [...this.#violations],
      violationCount: this.#violationCount,
      lateness: this.#grid.summary(),
      perSecond: Array.from(this.#perSecond, (frames: number | undefined) => frames ?? 0),
      firstAt: this.#firstAt,
      lastAt: this.#last?.at ?? null,
    };
  }

  /** Counts from zero again; what is known of the stream (its last packet, used nonces) stays. */
  reset(): void {
    this.#counts = noCounts();
    this.#violations = [];
    this.#violationCount = 0;
    this.#grid = new ArrivalGrid();
    this.#perSecond = [];
    this.#firstAt = null;
    this.#missing.clear();
    this.#burst = 0;
  }

  #noteNonce(packet: Buffer, what: string): void {
    if (!this.#nonces.note(packet.readUInt32BE(packet.length - SUFFIX_BYTES))) return;
    this.#counts.nonceReuses++;
    this.violation(`${what} uses a nonce a second time`);
  }

  #count(packet: Buffer, at: number): void {
    const counts = this.#counts;
    counts.packets++;
    counts.bytes += packet.length;
    this.#firstAt ??= at;
    const second = Math.floor((at - this.#firstAt) / 1_000);
    if (second < MAX_SECONDS) this.#perSecond[second] = (this.#perSecond[second] ?? 0) + 1;
    const close = this.#last !== null && at - this.#last.at < BURST_GAP_MS;
    this.#burst = close ? this.#burst + 1 : 1;
    counts.longestBurst = Math.max(counts.longestBurst, this.#burst);
  }

  /** Sequence and timestamp against the packet before; puts the arrival on the grid. */
  #order(header: RtpHeader, at: number, silence: boolean): void {
    const last = this.#last;
    if (last === null) {
      this.#grid.add(this.#step, at, true);
      this.#last = { header, at };
      return;
    }
    const ahead = (header.sequence - last.header.sequence) & 0xffff;
    if (ahead === 0 || ahead >= 0x8000) {
      this.#behind(header.sequence);
      return;
    }
    if (ahead > 1) {
      this.#counts.missing += ahead - 1;
      this.violation(`${ahead - 1} packets are missing before ${header.sequence}`);
      for (let i = 1; i < ahead && this.#missing.size < MAX_MISSING; i++) {
        this.#missing.add((last.header.sequence + i) & 0xffff);
      }
    }
    const jump = (header.timestamp - last.header.timestamp - ahead * SAMPLES_PER_FRAME) | 0;
    // Whether time really went by is asked of the grid and not of the arrival before: a receiver that was held up
    // reads at once what came one after the other.
    const slots = jump / SAMPLES_PER_FRAME;
    const passed = this.#silenceRun > 0 || this.#grid.earliness(this.#step + ahead + slots, at) <= EARLY_MS;
    if (jump > 0 && Number.isInteger(slots) && passed) {
      this.#counts.timestampJumps++;
      this.#step += slots;
    } else if (jump !== 0) {
      this.#counts.timestampFaults++;
      this.violation(`packet ${header.sequence} is ${jump} samples off`);
    }
    this.#step += ahead;
    const resumed = this.silent && !silence && (jump !== 0 || at - last.at > GAP_MS);
    this.#grid.add(this.#step, at, resumed);
    this.#last = { header, at };
  }

  #behind(sequence: number): void {
    if (this.#missing.delete(sequence)) {
      this.#counts.missing--;
      this.#counts.reordered++;
      this.violation(`packet ${sequence} came late`);
    } else {
      this.#counts.duplicates++;
      this.violation(`packet ${sequence} came twice`);
    }
  }

  /** koe switches speaking off on the first silence frame, so silence needs no op 5 (§1.9). */
  #checkSpeaking(header: RtpHeader, at: number, silence: boolean): void {
    if (this.#speaking || silence) return;
    this.#counts.beforeSpeaking++;
    this.#unspokenSince ??= at;
    if (this.#toldUnspoken || at - this.#unspokenSince <= this.#context.speakingGraceMs) return;
    this.#toldUnspoken = true;
    this.violation(`packet ${header.sequence} comes without speaking`);
    this.#context.unspoken();
  }

  #frame(header: RtpHeader, payload: Buffer, silence: boolean, at: number): void {
    const counts = this.#counts;
    counts.opened++;
    const dave = isDaveFrame(payload);
    let opus: Buffer | null = payload;
    if (dave) {
      counts.daveFrames++;
      const decrypted = this.#context.decrypt(payload);
      if (decrypted === null) {
        counts.undecrypted++;
        if (this.#context.settledFor(at) > SETTLED_MS) {
          this.violation(`packet ${header.sequence} cannot be decrypted by any listener`);
        }
      }
      opus = decrypted ?? null;
    } else {
      counts.plainFrames++;
      if (!silence && this.#context.settledFor(at) > SETTLED_MS) {
        counts.plainWhileActive++;
        this.violation(`packet ${header.sequence} is not end-to-end encrypted`);
      }
    }
    this.#context.received({
      sequence: header.sequence,
      timestamp: header.timestamp,
      at,
      dave,
      silence,
      opus,
    });
  }
}

/** Marker FA FA behind a supplemental part of at least 11 bytes (§2.3). */
function isDaveFrame(payload: Buffer): boolean {
  return payload.length > 11 && payload.readUInt16BE(payload.length - 2) === 0xfafa;
}

function noCounts(): StreamCounts {
  return {
    packets: 0,
    bytes: 0,
    opened: 0,
    bad: 0,
    silenceFrames: 0,
    plainFrames: 0,
    daveFrames: 0,
    undecrypted: 0,
    plainWhileActive: 0,
    missing: 0,
    duplicates: 0,
    reordered: 0,
    timestampFaults: 0,
    timestampJumps: 0,
    nonceReuses: 0,
    rtcp: 0,
    badRtcp: 0,
    beforeSpeaking: 0,
    longestBurst: 0,
  };
}
