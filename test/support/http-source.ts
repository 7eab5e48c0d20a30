// The HTTP source as tests use it: it may reach 127.0.0.1, and its waits can be shortened.

import { AllowList } from '../../src/shard/source/address.js';
import { Guard, type Resolver } from '../../src/shard/source/guard.js';
import type { Dial } from '../../src/shard/source/dial.js';
import { HttpClient, type HttpTimeouts } from '../../src/shard/source/http.js';
import { HttpSource } from '../../src/shard/source/http-source.js';
import type { OpenedMedia } from '../../src/shard/source/source.js';
import { systemClock, type Clock } from '../../src/shared/clock.js';
import { ServerError } from '../../src/shared/errors.js';
import { seeded } from './seeded.js';

export const never = new AbortController().signal;

/** Every wait takes a hundredth of its time; give timeouts a hundredfold. */
export const hastyClock: Clock = {
  ...systemClock,
  after: (ms, action) => systemClock.after(ms / 100, action),
};

/** Long enough never to matter, also by the hasty clock. */
const PATIENT: HttpTimeouts = { connect: 500_000, firstByte: 500_000, idle: 500_000 };

export interface TestSourceOptions {
  readonly clock?: Clock;
  readonly timeouts?: Partial<HttpTimeouts>;
  readonly resolver?: Resolver;
  readonly dial?: Dial;
  readonly allow?: readonly string[];
}

export function testClient(options: TestSourceOptions = {}): HttpClient {
  const clock = options.clock ?? hastyClock;
  const allow = new AllowList(options.allow ?? ['127.0.0.1']);
  const resolver: Resolver = options.resolver ?? (async () => []);
  const guard = new Guard({ allow, clock, resolver });
  return new HttpClient(guard, clock, { ...PATIENT, ...options.timeouts }, options.dial);
}

export function testSource(options: TestSourceOptions = {}): HttpSource {
  return new HttpSource(testClient(options), seeded(1));
}

/** Opens a URL that must be there. */
export async function opened(source: HttpSource, url: string): Promise<OpenedMedia> {
  const media = await source.resolve(url, never);
  if (media === null) throw new Error(`nothing at ${url}`);
  return media;
}

/** Everything from `offset` to the end, in reads of `step` bytes. */
export async function readAll(media: OpenedMedia, offset = 0, step = 16 * 1024): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let at = offset; ;) {
    const bytes = await media.bytes.read(at, step, never);
    if (bytes === null) return Buffer.concat(parts);
    if (bytes.length === 0 || bytes.length > step) throw new Error(`a read of ${bytes.length} bytes`);
    parts.push(bytes.slice());
    at += bytes.length;
  }
}

/** The ServerError that `work` rejects with. */
export async function failure(work: Promise<unknown>): Promise<ServerError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ServerError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}
