// Promises for "when this is so": each is looked at again whenever its owner says that something has changed, and
// rejects by name when its time is up. Used by fake-voice.ts; costs nothing while nobody waits for that key.

interface Waiter {
  /** True when it is done and need not be asked again. */
  look(): boolean;
  fail(error: Error): void;
}

export class Waiters {
  readonly #waiting = new Map<string, Set<Waiter>>();

  /** Resolves with the first value that is not null; looks at once, and whenever `key` may have changed. */
  until<T>(what: string, key: string, timeoutMs: number, probe: () => T | null): Promise<T> {
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
          this.#forget(key, waiter);
          resolve(value);
          return true;
        },
        fail: (error) => {
          clearTimeout(timer);
          this.#forget(key, waiter);
          reject(error);
        },
      };
      if (waiter.look()) return;
      const others = this.#waiting.get(key);
      if (others === undefined) this.#waiting.set(key, new Set([waiter]));
      else others.add(waiter);
    });
  }

  /** Without a key anything may have changed. */
  changed(key?: string): void {
    const sets = key === undefined ? [...this.#waiting.values()] : [this.#waiting.get(key) ?? []];
    for (const waiters of sets) for (const waiter of waiters) waiter.look();
  }

  /** Nothing will change any more. */
  close(why: string): void {
    for (const waiters of [...this.#waiting.values()]) {
      for (const waiter of waiters) waiter.fail(new Error(why));
    }
  }

  #forget(key: string, waiter: Waiter): void {
    const waiters = this.#waiting.get(key);
    waiters?.delete(waiter);
    if (waiters?.size === 0) this.#waiting.delete(key);
  }
}
