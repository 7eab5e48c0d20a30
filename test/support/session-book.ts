// Who is where in the fake voice server: sessions by guild and by SSRC, channels, frames kept per guild, and the
// faults scripted for connections to come. Written by gateway connections and the UDP side, read by fake-voice.ts.

import type { GatewayHost } from './gateway-connection.js';
import type { AuditedFrame } from './stream-audit.js';
import { VoiceChannel } from './voice-channel.js';
import { isResumable, type GatewayClose } from './voice-closes.js';
import type { FakeVoiceOptions, FaultScope, VoiceFaults } from './voice-options.js';
import { RateWindow } from './voice-rate.js';
import { VoiceSession } from './voice-session.js';
import type { ReceivedFrame, SessionIdentity } from './voice-session.js';

const FIRST_SSRC = 1_000;

/** What is remembered of one guild. */
export interface GuildBook {
  readonly sessions: VoiceSession[];
  readonly frames: ReceivedFrame[];
}

export class SessionBook implements GatewayHost {
  readonly options: FakeVoiceOptions;
  readonly sessions: VoiceSession[] = [];
  /** UDP ports, dealt out to the sessions in turn. */
  ports: readonly number[] = [0];
  readonly #onChange: (guildId?: string) => void;
  readonly #channelOf: Map<string, string>;
  readonly #channels = new Map<string, VoiceChannel>();
  readonly #guilds = new Map<string, GuildBook>();
  readonly #bySsrc = new Map<number, VoiceSession>();
  readonly #scripts: VoiceFaults[] = [];
  readonly #guildScripts = new Map<string, VoiceFaults[]>();
  readonly #identifies = new Map<string, RateWindow>();
  readonly #windows = new Map<VoiceSession, NodeJS.Timeout>();

  constructor(options: FakeVoiceOptions, onChange: (guildId?: string) => void) {
    this.options = options;
    this.#onChange = onChange;
    this.#channelOf = new Map(Object.entries(options.channels));
  }

  // ---- What a gateway connection asks ----

  connectionFaults(): VoiceFaults {
    return this.#scripts.shift() ?? this.options.faults;
  }

  guildFaults(guildId: string): VoiceFaults | null {
    return this.#guildScripts.get(guildId)?.shift() ?? null;
  }

  mayIdentify({ guildId, userId }: SessionIdentity): boolean {
    const key = `${guildId} ${userId}`;
    let window = this.#identifies.get(key);
    if (window === undefined) {
      this.#identifies.set(key, (window = new RateWindow(this.options.identifyLimit)));
    }
    return window.admit(performance.now());
  }

  /** A session of the same user in the same guild ends with it. */
  openSession(identity: SessionIdentity, faults: VoiceFaults): VoiceSession {
    const { sessions } = this.guild(identity.guildId);
    for (const old of sessions) {
      if (old.ended || old.userId !== identity.userId) continue;
      old.closeSocket(4006);
      this.#end(old);
    }
    const number = this.sessions.length;
    const session = new VoiceSession(
      `s${number + 1}`,
      FIRST_SSRC + number,
      this.ports[number % this.ports.length]!,
      identity,
      this.channel(identity.guildId),
      this.options,
      faults,
      (owner, frame) => this.#keep(owner, frame),
    );
    this.sessions.push(session);
    sessions.push(session);
    this.#bySsrc.set(session.ssrc, session);
    return session;
  }

  findSession(identity: SessionIdentity): VoiceSession | null {
    const { sessions } = this.guild(identity.guildId);
    return sessions.findLast((session) => !session.ended && session.sessionId === identity.sessionId) ?? null;
  }

  regained(session: VoiceSession): void {
    this.#stopWindow(session);
  }

  endSession(session: VoiceSession): void {
    session.cut(); // The old connection, if it still hangs on.
    this.#end(session);
  }

  lost(session: VoiceSession, close: GatewayClose): void {
    if (!session.ended) {
      if (isResumable(close)) {
        const timer = setTimeout(() => {
          this.#end(session);
          this.changed(session.guildId);
        }, this.options.resumeWindowMs);
        this.#windows.set(session, timer);
      } else {
        this.#end(session);
      }
    }
    this.changed(session.guildId);
  }

  /** Of that guild, or of any. */
  changed(guildId?: string): void {
    this.#onChange(guildId);
  }

  heard(session: VoiceSession): void {
    this.#onChange(session.guildId);
  }

  /** Those that have not ended. */
  liveSessions(): Iterable<VoiceSession> {
    return this.#bySsrc.values();
  }

  // ---- What the server asks ----

  guild(guildId: string): GuildBook {
    let book = this.#guilds.get(guildId);
    if (book === undefined) this.#guilds.set(guildId, (book = { sessions: [], frames: [] }));
    return book;
  }

  bySsrc(ssrc: number): VoiceSession | null {
    return this.#bySsrc.get(ssrc) ?? null;
  }

  channel(guildId: string): VoiceChannel {
    const id = this.#channelOf.get(guildId) ?? this.options.channelId ?? guildId;
    let channel = this.#channels.get(id);
    if (channel === undefined) {
      channel = new VoiceChannel(id, this.options, () => this.changed());
      this.#channels.set(id, channel);
    }
    return channel;
  }

  setChannel(guildId: string, channelId: string): void {
    this.#channelOf.set(guildId, channelId);
  }

  script(faults: VoiceFaults, scope: FaultScope): void {
    let queue = this.#scripts;
    if (scope.guildId !== undefined) {
      queue = this.#guildScripts.get(scope.guildId) ?? [];
      this.#guildScripts.set(scope.guildId, queue);
    }
    for (let n = scope.times ?? 1; n > 0; n--) queue.push(faults);
  }

  close(): void {
    for (const timer of this.#windows.values()) clearTimeout(timer);
    this.#windows.clear();
    for (const session of this.sessions) if (!session.ended) this.#end(session);
    for (const channel of this.#channels.values()) channel.close();
  }

  #end(session: VoiceSession): void {
    this.#stopWindow(session);
    this.#bySsrc.delete(session.ssrc);
    session.end();
  }

  #stopWindow(session: VoiceSession): void {
    const timer = this.#windows.get(session);
    if (timer !== undefined) clearTimeout(timer);
    this.#windows.delete(session);
  }

  #keep(session: VoiceSession, frame: AuditedFrame): void {
    const limit = this.options.keepFrames;
    if (limit <= 0) return;
    const { frames } = this.guild(session.guildId);
    frames.push({ ...frame, session: session.id });
    // Cut in blocks: moving the whole array for every frame would cost more than receiving it.
    if (frames.length > limit * 1.5) frames.splice(0, frames.length - limit);
  }
}
