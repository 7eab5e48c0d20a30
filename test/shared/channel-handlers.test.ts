// Faults on this side of a channel: a handler that throws, a body that cannot be sent.
import { MessageChannel } from 'node:worker_threads';
import t from 'tap';
import { Channel } from '../../src/shared/channel.js';
import { ManualClock } from '../support/manual-clock.js';

t.test(
  'messages behind a notice whose handler throws are taken, and the fault surfaces',
  { timeout: 5_000 },
  async (t) => {
    const clock = new ManualClock();
    const { port1, port2 } = new MessageChannel();
    const options = { clock, maxInFlight: 10, perTurn: Infinity };
    const seen: unknown[] = [];
    let last: () => void = () => undefined;
    const all = new Promise<void>((resolve) => {
      last = resolve;
    });
    const far = new Channel(
      port2,
      { request: () => null, notice: () => undefined, broken: () => undefined },
      options,
    );
    const near = new Channel(
      port1,
      {
        request: () => null,
        notice: (body) => {
          if (body === 'bad') throw new Error('a fault of the handler');
          seen.push(body);
          if (body === 'last') last();
        },
        broken: () => undefined,
      },
      options,
    );
    for (const body of ['first', 'bad', 'last']) far.notify(body);
    await all;
    t.same(seen, ['first', 'last']);
    t.throws(() => clock.runSoon(), { message: 'a fault of the handler' });
    near.close();
    far.close();
  },
);

t.test(
  'a request that cannot be encoded is refused at once and waits for nothing',
  { timeout: 5_000 },
  async (t) => {
    const clock = new ManualClock();
    const { port1, port2 } = new MessageChannel();
    const handlers = { request: () => null, notice: () => undefined, broken: () => undefined };
    const near = new Channel(port1, handlers, { clock, maxInFlight: 10, perTurn: Infinity });
    const unsendable = {
      get body(): never {
        throw new Error('not to be read');
      },
    };
    await t.rejects(near.request(unsendable, 1_000), { message: 'not to be read' });
    t.equal(near.inFlight, 0);
    t.equal(clock.pending, 0);
    near.close();
    port2.close();
  },
);
