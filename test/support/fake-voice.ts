// A Discord voice server for tests, demo and benches: gateway version 8 over TLS, UDP, both AEAD modes and DAVE,
// all on 127.0.0.1 (discord-voice.md §1, §2). It checks what it receives, counts it, and commits faults on
// demand. fake-voice-process.ts runs the same in a process of its own, which measurements of time need.

import type { LatenessHistogram } from './arrival-grid.js';
import { loopbackCertificate } from './certificate.js';
import type { Certificate } from './certificate.js';
import { writeOggOpus } from './ogg-opus-writer.js';
import type { OggSummary } from './ogg-opus-writer.js';
import { SessionBook } from './session-book.js';
import { strangerKeyPackage } from './voice-listener.js';
import type { VoiceListener } from './voice-listener.js';
import { heardFrames, type HeardFrames } from './heard-frames.js';
import { MemberVoices, type MembersHost } from './voice-members.js';
import { VoiceGateway } from './voice-gateway.js';
import { DEFAULT_OPTIONS } from './voice-options.js';
import type {
  FakeVoiceOptions,
  FaultScope,
  GatewayClose,
  VoiceAction,
  VoiceFaults,
} from './voice-options.js';
import type { ReceivedFrame, VoiceReport, VoiceSession } from './voice-session.js';
import { gridOf, totalsOf, type VoiceTotals } from './voice-totals.js';
import { VoiceUdp } from './voice-udp.js';
import { Waiters } from './waiters.js';

export { AES_GCM, XCHACHA } from './voice-options.js';
export type {
  AeadMode,
  FakeVoiceOptions,
  FaultScope,
  GatewayClose,
  VoiceAction,
  VoiceFaults,
} from './voice-options.js';
export type { ReceivedFrame, VoiceReport, VoiceSession } from './voice-session.js';
export type { VoiceTotals } from './voice-totals.js';

const TIMEOUT_MS = 10_000;
const FIRST_LISTENER = 900_000_000_000_000_001n;

export class FakeVoiceServer {
  readonly certificate: Certificate;
  readonly #book: SessionBook;
  readonly #waiters: Waiters;
  readonly #gateway: VoiceGateway;
  readonly #udp: VoiceUdp;
  readonly #host: MembersHost;
  #members: MemberVoices | null = null;
  #listeners = 0n;
  #closed: Promise<void> | null = null;

  private constructor(book: SessionBook, waiters: Waiters, gateway: VoiceGateway, udp: VoiceUdp) {
    this.certificate = book.options.certificate;
    this.#book = book;
    this.#waiters = waiters;
    this.#gateway = gateway;
    this.#udp = udp;
    this.#host = {
      liveSessions: () => book.liveSessions(),
      send: (session: VoiceSession, packet: Buffer) => udp.send(session, packet),
    };
    this.speak(book.options.memberRate);
  }

  static async start(options: Partial<FakeVoiceOptions> = {}): Promise<FakeVoiceServer> {
    const certificate = options.certificate ?? loopbackCertificate();
    const waiters = new Waiters();
    const book = new SessionBook({ ...DEFAULT_OPTIONS, ...options, certificate }, (guildId) =>
      waiters.changed(guildId),
    );
    const udp = await VoiceUdp.start(book, book.options.udpThreads);
    book.ports = udp.ports;
    return new FakeVoiceServer(book, waiters, await VoiceGateway.start(certificate, book), udp);
  }

  /** host:port without a scheme, as VOICE_SERVER_UPDATE has it. */
  get endpoint(): string {
    return this.#gateway.endpoint;
  }

  /** The first of them, if there are several; the newest, if they have changed. */
  get udpPort(): number {
    return this.#udp.ports[0]!;
  }

  // ---- Arranging ----

  /** To be said before the guild's bot identifies or a listener joins. */
  setChannel(guildId: string, channelId: string): void {
    this.#book.setChannel(guildId, channelId);
  }

  /** Faults for the next connections in order, or for the next Identify or Resume of one guild. */
  script(faults: VoiceFaults, scope: FaultScope = {}): void {
    this.#book.script(faults, scope);
  }

  /** A human joins the guild's channel; the bot need not be there yet. */
  addListener(guildId: string, userId = String(FIRST_LISTENER + this.#listeners++)): VoiceListener {
    return this.#book.channel(guildId).add(userId);
  }

  /** A human leaves; without a user id the newest. */
  dropListener(guildId: string, userId?: string): void {
    this.#book.channel(guildId).drop(userId);
  }

  /** From now on listeners send so many frames a second, as `memberRate` has it from the start; 0: none. */
  speak(memberRate: number): void {
    this.#members?.close();
    const options = { ...this.#book.options, memberRate };
    this.#members = memberRate > 0 ? new MemberVoices(this.#host, options) : null;
  }

  /**
   * The server's UDP moves to another port in mid-call: Ready names the new one from now on, and what is sent comes
   * from it. The old one still receives, or is closed, so that datagrams to it are refused. Nobody is told.
   */
  async changeUdpPort(keepOld = true): Promise<number> {
    await this.#udp.changePorts(keepOld);
    this.#book.ports = this.#udp.ports;
    return this.udpPort;
  }

  /** Throws when the guild has no open connection. */
  act(guildId: string, action: VoiceAction): void {
    const session = this.#newest(guildId);
    if (session?.open !== true) throw new Error(`guild ${guildId} has no open connection`);
    const { delivery } = session.channel;
    switch (action.kind) {
      case 'close':
        return session.closeSocket(action.code, action.reason);
      case 'drop':
        return session.cut();
      case 'send':
        return session.sendJson(action.op, action.d);
      case 'external-sender':
        return session.sendBinary(25, delivery.externalSender);
      case 'stale-proposals':
        return session.sendBinary(27, delivery.staleProposals());
      case 'unknown-user-proposals':
        return session.sendBinary(27, delivery.strangerProposals(strangerKeyPackage(delivery)));
      case 'revoke':
        return delivery.revoke();
      case 'junk':
        return session.junk(action.kinds);
      case 'udp-junk':
        return this.#udp.sendJunk(session, action.count);
      case 'faults':
        session.faults = { ...session.faults, ...action.faults };
        return undefined;
      case 'downgrade':
        return delivery.downgrade();
      case 'upgrade':
        return delivery.upgrade();
    }
  }

  // ---- Reading ----

  /** RTP frames of the guild so far, silence included, over all its sessions. */
  count(guildId: string): number {
    return this.#sessions(guildId).reduce((sum, session) => sum + session.audit.packets, 0);
  }

  /** The frames that were opened, in order of arrival, over all sessions of the guild; the newest `keepFrames`. */
  frames(guildId: string): readonly ReceivedFrame[] {
    return this.#book.guild(guildId).frames;
  }

  /** Of those frames the different ones, and how many came again. */
  heard(guildId: string): HeardFrames {
    return heardFrames(this.frames(guildId));
  }

  /** Of the guild's newest session, or of the session with that id; null when there is none. */
  report(guildOrSession: string): VoiceReport | null {
    const session =
      this.#newest(guildOrSession) ?? this.#book.sessions.find((each) => each.id === guildOrSession);
    return session?.report() ?? null;
  }

  /** Of every session, of one guild or of all, oldest first. */
  reports(guildId?: string): VoiceReport[] {
    const sessions = guildId === undefined ? this.#book.sessions : this.#sessions(guildId);
    return sessions.map((session) => session.report());
  }

  totals(): VoiceTotals {
    return totalsOf(this.#book.sessions, this.#udp.counts);
  }

  /** The lateness of all frames since the start or resetCounters(), to be merged with that of other processes. */
  latenessHistogram(): LatenessHistogram {
    return gridOf(this.#book.sessions).histogram();
  }

  /** Counts, windows and lateness start anew, in all sessions; what is known of the streams stays. */
  resetCounters(): void {
    for (const session of this.#book.sessions) session.audit.reset();
  }

  /** The guild's frames as a playable file; gaps in their timestamps become silence. */
  async writeOgg(guildId: string, path: string): Promise<OggSummary> {
    return writeOggOpus(path, this.frames(guildId));
  }

  // ---- Waiting ----

  /** The guild's newest session once it has its key (op 4 sent) and an open connection. */
  sessionOf(guildId: string, timeoutMs = TIMEOUT_MS): Promise<VoiceSession> {
    return this.#session('a session', guildId, timeoutMs, (session) => session.described && session.open);
  }

  /** The n-th session of the guild, from its Identify on. */
  waitForIdentify(guildId: string, n = 1, timeoutMs = TIMEOUT_MS): Promise<VoiceSession> {
    const what = `Identify ${n} of guild ${guildId}`;
    return this.#waiters.until(what, guildId, timeoutMs, () => this.#sessions(guildId)[n - 1] ?? null);
  }

  /** The n-th Resume of the guild, over all its sessions. */
  waitForResume(guildId: string, n = 1, timeoutMs = TIMEOUT_MS): Promise<VoiceSession> {
    return this.#session(`resume ${n}`, guildId, timeoutMs, () => {
      return this.#sessions(guildId).reduce((sum, session) => sum + session.resumes, 0) >= n;
    });
  }

  /** At least n frames of the guild in all. */
  async waitForFrames(guildId: string, n: number, timeoutMs = TIMEOUT_MS): Promise<readonly ReceivedFrame[]> {
    await this.#session(`${n} frames`, guildId, timeoutMs, () => this.count(guildId) >= n);
    return this.frames(guildId);
  }

  /** The newest five frames are silence. */
  async waitForSilence(guildId: string, timeoutMs = TIMEOUT_MS): Promise<void> {
    await this.#session('silence', guildId, timeoutMs, (session) => session.audit.silent);
  }

  /** Op 5 said so last. */
  async waitForSpeaking(guildId: string, on: boolean, timeoutMs = TIMEOUT_MS): Promise<void> {
    await this.#session(`speaking ${on}`, guildId, timeoutMs, (session) => session.audit.speaking === on);
  }

  /** The bot and at least one listener are in one group and nothing is under way. */
  async waitForDave(guildId: string, timeoutMs = TIMEOUT_MS): Promise<void> {
    await this.#session('a settled group', guildId, timeoutMs, ({ channel, userId }) => {
      const { delivery, listeners } = channel;
      return listeners.length > 0 && delivery.userIds.includes(userId) && delivery.settled;
    });
  }

  /** How the connection of the guild's newest session has ended; waits while it is open. */
  async waitForClose(guildId: string, timeoutMs = TIMEOUT_MS): Promise<GatewayClose> {
    const session = await this.#session('a close', guildId, timeoutMs, (each) => each.close !== null);
    return session.close!;
  }

  /** May be called again. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#waiters.close('the fake voice server has closed');
    this.#members?.close();
    this.#book.close();
    await Promise.all([this.#gateway.close(), this.#udp.close()]);
  }

  #sessions(guildId: string): readonly VoiceSession[] {
    return this.#book.guild(guildId).sessions;
  }

  #newest(guildId: string): VoiceSession | undefined {
    return this.#sessions(guildId).at(-1);
  }

  #session(
    what: string,
    guildId: string,
    timeoutMs: number,
    holds: (session: VoiceSession) => boolean,
  ): Promise<VoiceSession> {
    return this.#waiters.until(`${what} of guild ${guildId}`, guildId, timeoutMs, () => {
      const session = this.#newest(guildId);
      return session !== undefined && holds(session) ? session : null;
    });
  }
}
