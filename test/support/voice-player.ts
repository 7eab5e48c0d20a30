// The player's side of a voice connection for tests: pushes numbered frames whenever there is room, writes
// down what it is told, and lets a test wait for that. Breaks loudly when it is told something from inside
// its own call.

import {
  FrameMode,
  type GiveUp,
  type VoiceClose,
  type VoiceConnection,
  type VoiceDriver,
  type VoiceListener,
  type VoiceServer,
} from '../../src/shard/voice/driver.js';
import type { RowPlace } from '../../src/shared/sent-row.js';

/** An Opus frame (20 ms, stereo, CELT) that carries its number. */
export function numberedFrame(number: number): Buffer {
  const frame = Buffer.alloc(80, number % 251);
  frame[0] = 0xfc;
  frame.writeUInt32BE(number, 1);
  return frame;
}

/** The number of a frame made by numberedFrame, or -1. */
export function frameNumber(frame: Buffer | null): number {
  return frame !== null && frame.length === 80 && frame[0] === 0xfc ? frame.readUInt32BE(1) : -1;
}

let guilds = 0n;

/** Voice data of a guild that no other test of this process uses. */
export function voiceServer(endpoint: string): VoiceServer {
  const guild = 300_000_000_000_000_000n + ++guilds;
  return {
    guildId: `${guild}`,
    userId: '100000000000000001',
    channelId: `${guild}`,
    sessionId: `session-${guild}`,
    token: 'token',
    endpoint,
  };
}

export class VoicePlayer implements VoiceListener {
  readonly server: VoiceServer;
  readonly connection: VoiceConnection;
  readonly closes: VoiceClose[] = [];
  readonly sentAt: number[] = [];
  ready = 0;
  missed = 0;
  readonly givenUp: GiveUp[] = [];
  /** What its frames bear from now on. */
  tag = 1;
  pushed = 0;
  /** Frames to push by itself; finish() follows the last one. */
  #target = 0;
  #inCall = false;
  readonly #waiting = new Set<() => void>();

  constructor(
    driver: VoiceDriver,
    server: VoiceServer,
    mayConnect: () => boolean = () => true,
    row: RowPlace | null = null,
  ) {
    this.server = server;
    this.connection = this.#call(() => driver.connect(server, this, mayConnect, row));
  }

  /** Plays `frames` more frames, in so far as there is room, and then finishes. */
  play(frames: number): void {
    this.#target += frames;
    this.#fill();
  }

  /** Takes back what has not left and finishes; returns how many frames were taken back. */
  pause(): number {
    return this.#call(() => {
      const back = this.connection.flush();
      this.pushed -= back;
      this.#target = this.pushed;
      this.connection.finish();
      return back;
    });
  }

  close(): void {
    this.#call(() => this.connection.close());
  }

  /** Resolves when the condition holds; looked at after everything the driver tells. */
  when(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
  }

  async closed(): Promise<VoiceClose | undefined> {
    await this.when(() => this.closes.length > 0);
    return this.closes[0];
  }

  onReady(): void {
    this.#told(() => {
      this.ready++;
      this.#fill();
    });
  }

  onClosed(close: VoiceClose): void {
    this.#told(() => this.closes.push(close));
  }

  onSent(at: number): void {
    this.#told(() => {
      this.sentAt.push(at);
      this.#fill();
    });
  }

  onGivenUp(_at: number, why: GiveUp): void {
    this.#told(() => {
      this.givenUp.push(why);
      this.#fill();
    });
  }

  onMissed(): void {
    this.#told(() => this.missed++);
  }

  /** Pushes one frame, which ends where so many of 20 ms do. */
  push(frame: Buffer, number: number): void {
    this.connection.push(frame, (number + 1) * 20, this.tag, FrameMode.passthrough);
  }

  #fill(): void {
    this.#call(() => {
      if (this.pushed >= this.#target) return;
      while (this.pushed < this.#target && this.connection.room() > 0) {
        const number = this.pushed++;
        this.push(numberedFrame(number), number);
      }
      if (this.pushed === this.#target) this.connection.finish();
    });
  }

  #call<T>(action: () => T): T {
    const before = this.#inCall;
    this.#inCall = true;
    try {
      return action();
    } finally {
      this.#inCall = before;
    }
  }

  #told(action: () => void): void {
    if (this.#inCall) throw new Error('the driver called back from inside a call into it');
    action();
    for (const look of [...this.#waiting]) look();
  }
}
