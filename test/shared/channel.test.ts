// The channel between two threads, over a MessageChannel of one thread: order, deadlines, ceilings, damage.
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import fc from 'fast-check';
import t from 'tap';
import { Channel, type ChannelHandlers } from '../../src/shared/channel.js';
import { systemClock, type Clock } from '../../src/shared/clock.js';
import { ServerError } from '../../src/shared/errors.js';
import { ManualClock } from '../support/manual-clock.js';

const QUIET: ChannelHandlers = { request: () => null, notice: () => undefined, broken: () => undefined };

interface Pair {
  readonly near: Channel;
  readonly far: Channel;
  readonly rawFar: MessagePort;
}

function pair(
  far: Partial<ChannelHandlers>,
  near: Partial<ChannelHandlers> = {},
  options: { clock?: Clock; maxInFlight?: number; perTurn?: number } = {},
): Pair {
  const { port1, port2 } = new MessageChannel();
  const settings = { clock: systemClock, maxInFlight: 8, perTurn: 31, ...options };
  return {
    near: new Channel(port1, { ...QUIET, ...near }, settings),
    far: new Channel(port2, { ...QUIET, ...far }, settings),
    rawFar: port2,
  };
}

t.test('a request is answered by the other side', { timeout: 5_000 }, async (t) => {
  const { near } = pair({ request: (body) => ({ echoed: body }) });
  t.same(await near.request({ a: 1, b: ['x', null, true] }, 1_000), {
    echoed: { a: 1, b: ['x', null, true] },
  });
  t.equal(near.inFlight, 0);
  near.close();
});

t.test(
  'a failure arrives with its code, parameters and causes, and without a stack',
  { timeout: 5_000 },
  async (t) => {
    const { near } = pair({
      request: () => {
        throw new ServerError('PUM_SOURCE_TIMEOUT', { ms: 7 }, new Error('socket hang up'));
      },
    });
    const error = await near.request(null, 1_000).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    t.ok(error instanceof ServerError);
    if (!(error instanceof ServerError)) return;
    t.equal(error.code, 'PUM_SOURCE_TIMEOUT');
    t.equal(error.message, 'The source sent nothing for 7 ms');
    t.same(error.chain().slice(1), ['Error: socket hang up']);
    near.close();
  },
);

t.test('notices and answers keep the order in which they were sent', { timeout: 5_000 }, async (t) => {
  const seen: string[] = [];
  const { near, far } = pair(
    {
      request: (body) => {
        far.notify(`event of ${String(body)}`);
        return body;
      },
    },
    { notice: (body) => seen.push(String(body)) },
  );
  const answers = [1, 2, 3].map((n) =>
    near.request(n, 1_000).then((body) => seen.push(`answer ${String(body)}`)),
  );
  await Promise.all(answers);
  t.same(seen, ['event of 1', 'answer 1', 'event of 2', 'answer 2', 'event of 3', 'answer 3']);
  near.close();
});

t.test(
  'an unanswered request fails at its deadline, and a late answer is dropped',
  { timeout: 5_000 },
  async (t) => {
    const clock = new ManualClock();
    let answer: (body: unknown) => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      const { near } = pair(
        {
          request: () => {
            resolve();
            return new Promise((settle) => (answer = settle));
          },
        },
        {},
        { clock },
      );
      const request = near.request('slow', 500);
      t.teardown(() => near.close());
      void t.rejects(request, { code: 'PUM_COMMAND_DEADLINE' }).then(() => {
        t.equal(near.inFlight, 0);
      });
    });
    await asked;
    clock.advance(500);
    answer('too late');
    await new Promise((resolve) => setImmediate(resolve));
  },
);

t.test('more requests than the ceiling are refused at once', { timeout: 5_000 }, async (t) => {
  const { near } = pair({ request: () => new Promise(() => undefined) }, {}, { maxInFlight: 2 });
  const waiting = [near.request(1, 60_000), near.request(2, 60_000)];
  await t.rejects(near.request(3, 60_000), { code: 'PUM_SHARD_BUSY' });
  near.close();
  for (const request of waiting) await t.rejects(request, { code: 'PUM_SHARD_GONE' });
});

t.test(
  'when the other side closes, everything that waits fails and `broken` is told once',
  { timeout: 5_000 },
  async (t) => {
    let broken = 0;
    const { near, far } = pair({ request: () => new Promise(() => undefined) }, { broken: () => broken++ });
    const waiting = near.request(1, 60_000);
    far.close();
    await t.rejects(waiting, { code: 'PUM_SHARD_GONE' });
    t.equal(broken, 1);
    await t.rejects(near.request(2, 60_000), { code: 'PUM_SHARD_GONE' });
  },
);

t.test('bytes that are no message break the channel instead of losing one', { timeout: 5_000 }, async (t) => {
  for (const bytes of [new Uint8Array([0xc1]), new Uint8Array([0x01]), new Uint8Array(0)]) {
    const broken = new Promise<ServerError>((resolve) => {
      const { rawFar } = pair({}, { broken: resolve });
      rawFar.postMessage(bytes);
    });
    t.equal((await broken).code, 'PUM_CHANNEL_BROKEN');
  }
});

t.test('no more than `perTurn` messages are taken in one turn', { timeout: 5_000 }, async (t) => {
  const clock = new ManualClock();
  const seen: unknown[] = [];
  const { port1, port2 } = new MessageChannel();
  const near = new Channel(port1, QUIET, { clock, maxInFlight: 8, perTurn: 31 });
  const far = new Channel(
    port2,
    { ...QUIET, notice: (body) => seen.push(body) },
    { clock, maxInFlight: 8, perTurn: 3 },
  );
  for (let n = 0; n < 8; n++) near.notify(n);
  await new Promise((resolve) => setTimeout(resolve, 20)); // delivery between ports has no event to await
  t.same(seen, [0, 1, 2]);
  clock.runSoon();
  t.same(seen, [0, 1, 2, 3, 4, 5, 6, 7]);
  near.close();
  far.close();
});

t.test('any plain data arrives as it was sent', { timeout: 20_000 }, async (t) => {
  const { near } = pair({ request: (body) => body });
  // That key the encoder gives another name, so that no object gets another prototype by it.
  const plain = fc
    .jsonValue({ maxDepth: 4 })
    .filter((value) => !JSON.stringify(value).includes('"__proto__":'));
  await fc.assert(
    fc.asyncProperty(plain, async (value) => {
      const back = await near.request(value, 1_000);
      // -0 is 0 on this wire as it is in JSON.
      t.same(JSON.stringify(back), JSON.stringify(value));
    }),
    { numRuns: 200 },
  );
  near.close();
});
