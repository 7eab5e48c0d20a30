// Whether the server serves, drains or has stopped. Readiness, admission and placement read it; only the
// server moves it on. Forward only: serving → draining → stopped. Main thread.
import type { Clock, Timer } from '../shared/clock.js';
import { ServerError } from '../shared/errors.js';

export type DrainState =
  | { readonly kind: 'serving' }
  | { readonly kind: 'draining'; readonly deadline: Timer }
  | { readonly kind: 'stopped' };

export class Drain {
  #state: DrainState = { kind: 'serving' };

  get kind(): DrainState['kind'] {
    return this.#state.kind;
  }

  /** Throws PUM_HTTP_SHUTTING_DOWN unless the server takes new work. */
  admit(): void {
    if (this.#state.kind !== 'serving') throw new ServerError('PUM_HTTP_SHUTTING_DOWN');
  }

  /** Begins to drain; `expired` is called unless `stop` comes within `timeoutMs`. False when it is not serving. */
  begin(clock: Clock, timeoutMs: number, expired: () => void): boolean {
    if (this.#state.kind !== 'serving') return false;
    this.#state = { kind: 'draining', deadline: clock.after(timeoutMs, expired) };
    return true;
  }

  stop(): void {
    if (this.#state.kind === 'draining') this.#state.deadline.cancel();
    this.#state = { kind: 'stopped' };
  }
}
