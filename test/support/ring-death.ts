// Death in the send ring's torture: a thread that called `makeMortal` dies, by an error, before an atomic operation
// of its own. Whatever the ring's code does between two of them nobody else can tell apart from that.

/** What the launcher knows a planned death by. */
export const DEATH = 'died as planned';

export class Death extends Error {
  constructor() {
    super(DEATH);
  }
}

let operationsLeft = Infinity;

/** Operations until death. */
export function liveFor(operations: number): void {
  operationsLeft = operations;
}

function spend(): void {
  if (operationsLeft-- <= 0) throw new Death();
}

export function makeMortal(): void {
  const { load, store, compareExchange } = Atomics;
  Object.assign(Atomics, {
    load: (words: Int32Array, at: number): number => {
      spend();
      return load(words, at);
    },
    store: (words: Int32Array, at: number, value: number): number => {
      spend();
      return store(words, at, value);
    },
    compareExchange: (words: Int32Array, at: number, expected: number, value: number): number => {
      spend();
      return compareExchange(words, at, expected, value);
    },
  });
}
