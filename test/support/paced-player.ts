// A pacer on a clock that is moved by hand, and players on it that write down what left and when. Used by the
// tests of the pacer and of its lanes; no sockets, no real time.

import type { GiveUp } from '../../src/shard/voice/driver.js';
import { SILENCE, SendResult } from '../../src/shard/voice/paced-lane.js';
import type { PacedLane, PacedOutput } from '../../src/shard/voice/paced-lane.js';
import { Pacer } from '../../src/shard/voice/pacer.js';
import type { SentRow } from '../../src/shared/sent-row.js';
import { ManualClock } from './manual-clock.js';

export interface Left {
  readonly frame: number;
  readonly gap: number;
  readonly at: number;
}

/** What left, and a player that pushes numbered frames whenever there is room (`feeding`). */
export class PacedPlayer implements PacedOutput {
  readonly left: Left[] = [];
  readonly told: number[] = [];
  readonly missedAt: number[] = [];
  readonly givenUp: GiveUp[] = [];
  readonly quietAt: number[] = [];
  readonly #clock: ManualClock;
  lane: PacedLane | null = null;
  feeding = false;
  verdict: SendResult = SendResult.sent;
  pushed = 0;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  send(frame: Uint8Array, gap: number): SendResult {
    if (this.verdict === SendResult.sent) {
      this.left.push({ frame: frame === SILENCE ? -1 : (frame[0] ?? 0), gap, at: this.#clock.now() });
    }
    return this.verdict;
  }

  quiet(): void {
    this.quietAt.push(this.#clock.now());
  }

  onSent(at: number): void {
    this.told.push(at);
    if (this.feeding) this.fill();
  }

  onGivenUp(at: number, why: GiveUp): void {
    this.givenUp.push(why);
    this.onSent(at);
  }

  onMissed(): void {
    this.missedAt.push(this.#clock.now());
  }

  push(): void {
    const number = this.pushed++;
    this.lane?.push(Uint8Array.of(number % 256), (number + 1) * 20, 1);
  }

  fill(): void {
    while ((this.lane?.room() ?? 0) > 0) this.push();
  }

  get times(): number[] {
    return this.left.map(({ at }) => at);
  }

  get frames(): number[] {
    return this.left.map(({ frame }) => frame);
  }
}

export interface PacedSetting {
  readonly clock: ManualClock;
  readonly pacer: Pacer;
  add(row?: SentRow): PacedPlayer & { readonly lane: PacedLane };
}

export function pacedSetting(start = 1_000): PacedSetting {
  const clock = new ManualClock(start);
  const pacer = new Pacer(clock);
  return {
    clock,
    pacer,
    add(row) {
      const player = new PacedPlayer(clock);
      const lane = pacer.add(player, row ?? null);
      player.lane = lane;
      lane.enable();
      return Object.assign(player, { lane });
    },
  };
}
