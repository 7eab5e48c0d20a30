// Promises for "when this is so": each is looked at again whenever its owner says that something has changed, and
// rejects by name when its time is up. Used by fake-voice.ts; costs nothing while nobody waits.

interface Waiter {
  /** True when it is done and need not be asked again. */
  look(): boolean;
  fail(error: Error): void;
}

export class Waiters {
  readonly #waiting = new Set<Waiter>();

  /** Resolves with the first value that is not null; looks at once. */
  until<T>(what: string, timeoutMs: number, probe: () => T | null): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => waiter.fail(new Error(`${what} has not come about in ${timeoutMs} ms`)),
        timeoutMs,
      );
      const waiter: Waiter = {
        look: () => {
          const value = probe();
          if (value === null) return false;
          clearTimeout(timer);
          this.#waiting.delete(waiter);
          resolve(value);
          return true;
        },
        fail: (error) => {
          clearTimeout(timer);
          this.#waiting.delete(waiter);
          reject(error);
        },
      };
      if (!waiter.look()) this.#waiting.add(waiter);
    });
  }

  changed(): void {
    for (const waiter of this.#waiting) waiter.look();
  }

  /** Nothing will change any more. */
  close(why: string): void {
    for (const waiter of this.#waiting) waiter.fail(new Error(why));
  }
}
