// Compares the password of a request with the server's, in constant time (reliability.md case 19), and slows
// down guessing. Main thread. It keeps no password, only its digests under a key of this process.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

import type { Clock } from '../../shared/clock.js';
import { ServerError } from '../../shared/errors.js';
import { GuessThrottle } from './guess-throttle.js';

const NOT_BYTES = /[^\0-\xff]/;

export class PasswordGuard {
  readonly #key = randomBytes(32);
  readonly #throttle: GuessThrottle;
  /** Digest of the password in UTF-8, which people send, and of the bytes that HTTP clients make of it. */
  readonly #digests: readonly Buffer[];

  /** With an empty password nothing is right. */
  constructor(password: string, clock: Clock) {
    this.#throttle = new GuessThrottle(clock);
    const forms = NOT_BYTES.test(password)
      ? [Buffer.from(password, 'utf8')]
      : [Buffer.from(password, 'utf8'), Buffer.from(password, 'latin1')];
    this.#digests = password === '' ? [] : forms.map((form) => this.#digest(form));
  }

  /**
   * Whether `given`, a header value with one character for each byte, is the password. Throws
   * PUM_AUTH_THROTTLED for a wrong one after too many from `address`; a right one always passes.
   */
  check(given: string, address: string): boolean {
    const digest = this.#digest(Buffer.from(given, NOT_BYTES.test(given) ? 'utf8' : 'latin1'));
    let isRight = false;
    for (const expected of this.#digests) isRight = timingSafeEqual(digest, expected) || isRight;
    if (!isRight && this.#throttle.isExcessive(address)) throw new ServerError('PUM_AUTH_THROTTLED');
    return isRight;
  }

  #digest(bytes: Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update(bytes).digest();
  }
}
