// Listeners that come and go: in every call one joins and leaves again once in a period, each call at a moment of
// its own, for as long as a window is open. Used by the soak bench, through capacity-run.ts.
import type { FakeVoiceProcess } from '../test/support/fake-voice-process.js';

export class ListenerTurns {
  joins = 0;
  leaves = 0;
  readonly #voice: FakeVoiceProcess;
  readonly #guilds: readonly string[];
  readonly #stepMs: number;
  readonly #began = performance.now();
  /** User ids of those who came and have not left yet. */
  readonly #present = new Map<string, string>();
  #steps = 0;
  #timer: NodeJS.Timeout | null = null;
  #last: Promise<void> = Promise.resolve();

  constructor(voice: FakeVoiceProcess, guilds: readonly string[], periodMs: number) {
    this.#voice = voice;
    this.#guilds = guilds;
    // Each call has its turn twice in a period: once somebody comes, once they go.
    this.#stepMs = periodMs / 2 / guilds.length;
    this.#wait();
  }

  /** Rejects when somebody could not come or go. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#last;
  }

  #wait(): void {
    const due = this.#began + (this.#steps + 1) * this.#stepMs;
    this.#timer = setTimeout(() => {
      const turn = this.#turn(this.#guilds[this.#steps++ % this.#guilds.length] ?? '');
      this.#last = Promise.all([this.#last, turn]).then(() => undefined);
      // Whoever stops is told of a failure.
      this.#last.catch(() => undefined);
      this.#wait();
    }, due - performance.now());
  }

  async #turn(guild: string): Promise<void> {
    const user = this.#present.get(guild);
    if (user === undefined) {
      this.#present.set(guild, await this.#voice.addListener(guild));
      this.joins++;
    } else {
      this.#present.delete(guild);
      await this.#voice.dropListener(guild, user);
      this.leaves++;
    }
  }
}
