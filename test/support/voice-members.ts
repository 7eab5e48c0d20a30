// The voices of a call's listeners on their way to its bots: RTP with DAVE frames in it, op 5 ahead of it and a
// sender report now and then, until op 15 says that the bot does not want them (discord-voice.md §1.3, §4.3).
// Started by fake-voice.ts when `memberRate` is above 0; one timer for all calls, on the server's thread.

import { OPUS_PAYLOAD_TYPE, SAMPLES_PER_FRAME } from './rtp-packet.js';
import type { VoiceListener } from './voice-listener.js';
import type { FakeVoiceOptions } from './voice-options.js';
import type { VoiceSession } from './voice-session.js';

const TICK_MS = 5;
/** So far behind, frames are left out and not sent in a burst. */
const LATE_MS = 100;
const FIRST_SSRC = 0x4000_0000;
const REPORT_EVERY = 250;
const FRAME = Buffer.concat([Buffer.from([0xfc]), Buffer.alloc(79, 0x5a)]);

export interface MembersHost {
  /** Those that have not ended. */
  liveSessions(): Iterable<VoiceSession>;
  send(session: VoiceSession, packet: Buffer): void;
}

interface Hearing {
  nextAt: number;
  /** By user id: frames sent so far. */
  readonly sent: Map<string, number>;
}

export class MemberVoices {
  readonly #host: MembersHost;
  readonly #options: FakeVoiceOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #hearings = new WeakMap<VoiceSession, Hearing>();
  readonly #ssrcs = new WeakMap<VoiceListener, number>();
  #nextSsrc = FIRST_SSRC;

  constructor(host: MembersHost, options: FakeVoiceOptions) {
    this.#host = host;
    this.#options = options;
    this.#timer = setInterval(() => this.#tick(performance.now()), TICK_MS);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #tick(now: number): void {
    const everyMs = 1_000 / this.#options.memberRate;
    for (const session of this.#host.liveSessions()) {
      if (!session.open || session.address === null || !session.described) continue;
      let hearing = this.#hearings.get(session);
      // A phase of its own, so that not all calls speak in the same moment.
      const first = () => now + (session.ssrc % 4) * TICK_MS;
      if (hearing === undefined)
        this.#hearings.set(session, (hearing = { nextAt: first(), sent: new Map() }));
      if (now - hearing.nextAt > LATE_MS) hearing.nextAt = now;
      for (; hearing.nextAt <= now; hearing.nextAt += everyMs) this.#speak(session, hearing);
    }
  }

  #speak(session: VoiceSession, hearing: Hearing): void {
    const { memberSpeakers } = this.#options;
    let speakers = 0;
    for (const listener of session.channel.listeners) {
      if (speakers++ === memberSpeakers) return;
      const ssrc = this.#ssrcOf(listener);
      if (session.wants(ssrc)) this.#frame(session, hearing, listener, ssrc);
    }
  }

  #frame(session: VoiceSession, hearing: Hearing, listener: VoiceListener, ssrc: number): void {
    const sent = hearing.sent.get(listener.userId) ?? 0;
    if (sent === 0) this.#introduce(session, listener, ssrc);
    hearing.sent.set(listener.userId, sent + 1);
    const header = {
      payloadType: OPUS_PAYLOAD_TYPE,
      sequence: sent & 0xffff,
      timestamp: (sent * SAMPLES_PER_FRAME) >>> 0,
      ssrc,
    };
    const packet = session.seal(header, listener.encrypt(FRAME));
    if (packet === null) return;
    this.#host.send(session, packet);
    session.memberFrames++;
    if (sent % REPORT_EVERY !== 0) return;
    const report = session.sealRtcp(senderReport(ssrc, header.timestamp, sent));
    if (report !== null) this.#host.send(session, report);
  }

  #introduce(session: VoiceSession, { userId }: VoiceListener, ssrc: number): void {
    session.sendJson(5, { speaking: 1, ssrc, user_id: userId });
    if (!this.#options.chatter) return;
    session.sendJson(12, { user_id: userId, audio_ssrc: ssrc, video_ssrc: 0, rtx_ssrc: 0 });
  }

  #ssrcOf(listener: VoiceListener): number {
    let ssrc = this.#ssrcs.get(listener);
    if (ssrc === undefined) this.#ssrcs.set(listener, (ssrc = this.#nextSsrc++));
    return ssrc;
  }
}

/** RFC 3550 §6.4.1 without report blocks; the time is left zero. */
function senderReport(ssrc: number, timestamp: number, packets: number): Buffer {
  const report = Buffer.alloc(28);
  report.writeUInt8(0x80, 0);
  report.writeUInt8(200, 1);
  report.writeUInt16BE(6, 2);
  report.writeUInt32BE(ssrc, 4);
  report.writeUInt32BE(timestamp, 16);
  report.writeUInt32BE(packets, 20);
  report.writeUInt32BE((packets * FRAME.length) >>> 0, 24);
  return report;
}
