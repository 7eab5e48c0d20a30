// The queue between a connection and its reader: holding back, silence, aborts. Reliability case 34.

import fc from 'fast-check';
import t from 'tap';

import { ServerError } from '../../../src/shared/errors.js';
import { SOURCE } from '../../../src/shared/limits.js';
import { ChunkQueue } from '../../../src/shard/source/chunk-queue.js';
import { HttpBody } from '../../../src/shard/source/http-body.js';
import { failure, never } from '../../support/http-source.js';
import { ManualClock } from '../../support/manual-clock.js';

const limit = { timeout: 10_000 };

function bodyWith(): { body: HttpBody; calls: string[]; clock: ManualClock } {
  const calls: string[] = [];
  const clock = new ManualClock();
  const control = {
    pause: () => void calls.push('pause'),
    resume: () => void calls.push('resume'),
    abort: () => void calls.push('abort'),
  };
  return { body: new HttpBody(control, clock, 1_000), calls, clock };
}

t.test('a full queue pauses the connection until it is empty and more is wanted', limit, async (t) => {
  const { body, calls } = bodyWith();
  const piece = new Uint8Array(SOURCE.readAhead / 4);
  for (let i = 0; i < 5; i++) body.push(piece);
  t.same(calls, ['pause']);
  for (let i = 0; i < 5; i++) await body.next(never);
  t.same(calls, ['pause']);
  const more = body.next(never);
  t.same(calls, ['pause', 'resume']);
  body.push(piece);
  t.equal((await more)?.length, piece.length);
});

t.test('what had come before a failure is read before it is told', limit, async (t) => {
  const { body } = bodyWith();
  body.push(Uint8Array.of(1));
  body.fail(new ServerError('PUM_SOURCE_CONNECT'));
  body.push(Uint8Array.of(2));
  t.same(await body.next(never), Uint8Array.of(1));
  t.equal((await failure(body.next(never))).code, 'PUM_SOURCE_CONNECT');
});

t.test('only a reader that waits counts silence', limit, async (t) => {
  const { body, calls, clock } = bodyWith();
  clock.advance(5_000);
  body.push(Uint8Array.of(1));
  await body.next(never);
  t.equal(clock.pending, 0);
  const waiting = failure(body.next(never));
  await Promise.resolve();
  clock.advance(999);
  t.same(calls, []);
  clock.advance(1);
  t.equal((await waiting).code, 'PUM_SOURCE_TIMEOUT');
  t.same(calls, ['abort']);
});

t.test('an aborted wait leaves nothing behind and loses no bytes', limit, async (t) => {
  const { body, clock } = bodyWith();
  const abort = new AbortController();
  const waiting = body.next(abort.signal);
  await Promise.resolve();
  abort.abort(new Error('enough'));
  await t.rejects(waiting, { message: 'enough' });
  t.equal(clock.pending, 0);
  body.push(Uint8Array.of(7));
  t.same(await body.next(never), Uint8Array.of(7));
  body.end();
  t.equal(await body.next(never), null);
});

t.test('bytes put back come first', limit, async (t) => {
  const { body } = bodyWith();
  body.push(Uint8Array.of(1, 2, 3));
  body.push(new Uint8Array(2_000));
  const chunk = await body.next(never);
  body.unread(chunk?.subarray(1) ?? new Uint8Array(0));
  t.same(await body.next(never), Uint8Array.of(2, 3));
});

t.test('a chunk that is most of its read is not copied, a small part of one is', limit, async (t) => {
  const queue = new ChunkQueue();
  const read = new Uint8Array(SOURCE.socketRead);
  queue.push(read.subarray(300));
  queue.push(read.subarray(0, 4_000));
  t.equal(queue.shift()?.buffer, read.buffer);
  t.equal(queue.shift()?.buffer.byteLength, 4_000);
  const large = new Uint8Array(4 * SOURCE.socketRead);
  queue.push(large);
  for (let chunk; (chunk = queue.shift()) !== null;) {
    t.not(chunk.buffer, large.buffer);
    t.ok(chunk.buffer.byteLength <= SOURCE.socketRead);
  }
});

t.test('a queue gives back what was put in, however it was cut', limit, async () => {
  const step = fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 3_000 }), fc.constant(null));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new ChunkQueue();
      const put: number[] = [];
      const got: number[] = [];
      for (const chunk of steps) {
        if (chunk === null) got.push(...(queue.shift() ?? []));
        else {
          put.push(...chunk);
          queue.push(chunk);
        }
      }
      for (let chunk; (chunk = queue.shift()) !== null;) got.push(...chunk);
      return queue.cost === 0 && Buffer.from(got).equals(Buffer.from(put));
    }),
    { numRuns: 200 },
  );
});
