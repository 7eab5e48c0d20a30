// Which word about a player is the newest. A PATCH with voice data waits for its connection while later ones
// are executed; what those have said by then, the one that waited must not undo. Main judges its record of
// the player in the same way. Used by player.ts, in a shard.
import type { UpdateBody } from '../shared/shard-commands.js';

type Part = keyof UpdateBody;

export class PatchOrder {
  readonly #newest = new Map<Part, number>();
  #last = 0;

  /** A command has come. Returns its number. */
  enter(body: UpdateBody): number {
    this.#last++;
    for (const part of Object.keys(body) as Part[]) this.#newest.set(part, this.#last);
    return this.#last;
  }

  /** What of the command of that number nobody has said otherwise since. */
  rest(body: UpdateBody, number: number): UpdateBody {
    if (number === this.#last) return body;
    const parts = Object.entries(body) as [Part, unknown][];
    return Object.fromEntries(parts.filter(([part]) => !this.#isOvertaken(part, number)));
  }

  #isOvertaken(part: Part, number: number): boolean {
    // A place in a track means nothing in the one that has come since.
    const ofTrack = part === 'positionMs' || part === 'endTimeMs';
    return this.#isNewer(part, number) || (ofTrack && this.#isNewer('track', number));
  }

  #isNewer(part: Part, number: number): boolean {
    return (this.#newest.get(part) ?? 0) > number;
  }
}
