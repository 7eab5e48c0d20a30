// What a shard has answered lately, so that a command that comes twice is executed once and answered twice
// (architecture §8 seam 2). Asked by shard.ts for every command; one per shard. Knows no command and no player.
import { ServerError, type ErrorShape } from '../shared/errors.js';
import { DISPATCH } from '../shared/limits.js';

/** The promise while the command is under way; afterwards what is left of it, without a stack that holds on to more. */
type Answer = Promise<unknown> | { readonly value: unknown } | { readonly error: ErrorShape };

export interface ReplyCacheOptions {
  /** Whether the shard has that player; the answers of one that is gone are kept a little longer. */
  readonly isHere: (player: string) => boolean;
  readonly repliesPerPlayer?: number;
  readonly playersGone?: number;
}

export class ReplyCache {
  readonly #isHere: (player: string) => boolean;
  readonly #repliesPerPlayer: number;
  readonly #playersGone: number;
  /** By player and command, oldest first: a player without a command costs nothing. */
  readonly #answers = new Map<string, Map<number, Answer>>();
  /** Players that are gone, the one gone longest first. */
  readonly #gone = new Set<string>();

  constructor({ isHere, repliesPerPlayer, playersGone }: ReplyCacheOptions) {
    this.#isHere = isHere;
    this.#repliesPerPlayer = repliesPerPlayer ?? DISPATCH.repliesPerPlayer;
    this.#playersGone = playersGone ?? DISPATCH.repliesOfGone;
  }

  /** Players of which there are answers. */
  get players(): number {
    return this.#answers.size;
  }

  /** The answer to the command `id` of that player, for which `execute` is called unless that was done before. */
  answer(player: string, id: number, execute: () => Promise<unknown>): Promise<unknown> {
    const known = this.#answers.get(player)?.get(id);
    if (known !== undefined) return repeated(known);
    const answer = execute();
    const answers = this.#of(player);
    answers.set(id, answer);
    if (answers.size > this.#repliesPerPlayer) {
      // One still under way counts too: a repeat of it is refused by its revision.
      for (const oldest of answers.keys()) {
        answers.delete(oldest);
        break;
      }
    }
    const settled = (left: Answer): void => {
      if (answers.has(id)) answers.set(id, left);
      if (!this.#isHere(player)) this.#left(player);
    };
    answer.then(
      (value) => {
        settled({ value });
      },
      (thrown: unknown) => {
        const error = ServerError.from(thrown, 'PUM_HTTP_INTERNAL', { reason: 'the shard failed' });
        settled({ error: error.toShape() });
      },
    );
    return answer;
  }

  #of(player: string): Map<number, Answer> {
    const known = this.#answers.get(player);
    if (known !== undefined) return known;
    const answers = new Map<number, Answer>();
    this.#answers.set(player, answers);
    return answers;
  }

  #left(player: string): void {
    this.#gone.delete(player);
    this.#gone.add(player);
    if (this.#gone.size <= this.#playersGone) return;
    for (const oldest of this.#gone) {
      this.#gone.delete(oldest);
      if (!this.#isHere(oldest)) this.#answers.delete(oldest);
      break;
    }
  }
}

function repeated(answer: Answer): Promise<unknown> {
  if (answer instanceof Promise) return answer;
  return 'value' in answer
    ? Promise.resolve(answer.value)
    : Promise.reject(ServerError.fromShape(answer.error));
}
