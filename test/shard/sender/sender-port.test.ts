// The two ends of the port between a shard and a sender, over a real MessageChannel: every call arrives as the
// same call, and the rings go over to another sender when one has died. Runs in the test process.

import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import t from 'tap';
import { RingReader } from '../../../src/shared/send-ring.js';
import { SenderPort } from '../../../src/shard/sender/sender-port.js';
import { servePort } from '../../../src/shard/sender/serve-port.js';
import { TestRow } from '../../support/player-row.js';
import { SenderSetting, Shard } from './sender-setting.js';

const LIMIT = { timeout: 10_000 };

function setting() {
  const s = new SenderSetting();
  const heard: string[] = [];
  const { port1, port2 } = new MessageChannel();
  servePort(port2, s.slab, s.loop);
  const port = new SenderPort(port1, {
    discovered: (ring, address, ours) => void heard.push(`discovered ${ring} ${address} ${ours}`),
    quiet: (ring) => void heard.push(`quiet ${ring}`),
    closed: (ring) => void heard.push(`closed ${ring}`),
  });
  /** Runs the loop for a while, and lets what it tells arrive. */
  const listen = async (): Promise<void> => {
    s.advance(200);
    await delivered();
  };
  return { s, port, far: port2, heard, listen };
}

/** The far end's answer to a discovery. */
function answer(s: SenderSetting, ssrc = 9, port = 7_000): void {
  const bytes = Buffer.alloc(74);
  bytes.writeUInt32BE(0x0002_0046, 0);
  bytes.writeUInt32BE(ssrc, 4);
  bytes.write('203.0.113.7', 8, 'latin1');
  bytes.writeUInt16BE(40_321, 72);
  s.udp.listener?.message(bytes, '127.0.0.1', port);
}

t.test('a life of a ring, from discovery to its end', LIMIT, async (t) => {
  const { s, port, heard, listen } = setting();
  const shard = new Shard(s.slab, 2);
  let woken = 0;
  s.loop.onWork(() => woken++);
  port.discover(2, '127.0.0.1', 7_000, 9);
  await delivered();
  t.equal(woken, 1);
  s.advance(0);
  answer(s);
  await delivered();
  port.open(2, '127.0.0.1', 5_002, null);
  shard.fill(1);
  shard.finish();
  port.start(2);
  await delivered();
  await listen();
  t.equal(s.left(2).length, 6);
  shard.writer.close();
  port.close(2);
  port.close(2);
  await delivered();
  await listen();
  t.same(heard, ['discovered 2 203.0.113.7 40321', 'quiet 2', 'closed 2']);
  port.disconnect();
});

t.test(
  'when the shard ends its port closes: what is sealed leaves, and the rings are forgotten',
  LIMIT,
  async (t) => {
    const { s, port, far } = setting();
    const shard = new Shard(s.slab, 0);
    port.open(0, '127.0.0.1', 5_000, null);
    shard.fill(3);
    port.start(0);
    await delivered();
    const ended = once(far, 'close');
    port.disconnect();
    await ended;
    s.advance(12_000);
    t.equal(s.left(0).length, 3);
    t.equal(s.loop.run(s.clock.now()), Infinity);
  },
);

t.test('another sender takes over every ring as it was', LIMIT, async (t) => {
  const { s, port, heard, listen } = setting();
  const [asking, playing, idle, closing, gone] = [0, 1, 2, 3, 4].map((ring) => new Shard(s.slab, ring));
  port.discover(0, '127.0.0.1', 7_000, 9);
  const row = new TestRow();
  port.open(1, '127.0.0.1', 5_001, row.place);
  for (const ring of [2, 3, 4]) port.open(ring, '127.0.0.1', 5_000 + ring, null);
  for (let n = 1; n <= 4; n++) playing?.publish(0, n * 20, 1);
  port.discover(2, '127.0.0.1', 7_002, 22);
  await delivered();
  s.advance(0);
  answer(s, 22, 7_002);
  gone?.writer.close();
  port.close(4);
  await delivered();
  await listen();
  // The sender dies with a packet in its hands, and with a close that it has not answered.
  new RingReader(s.slab, 1).claim();
  closing?.writer.close();
  port.close(3);

  const next = new SenderSetting({ slab: s.slab });
  const { port1, port2 } = new MessageChannel();
  servePort(port2, next.slab, next.loop);
  port.moveTo(port1);
  await delivered();
  next.advance(100);
  await delivered();
  t.same(next.numbers(1), [1, 2, 3]);
  t.same([row.word('sent'), row.positionMs], [3, 80], 'and writes into the same row');
  t.same(heard, ['discovered 2 203.0.113.7 40321', 'closed 4', 'quiet 2', 'closed 3']);
  answer(next, 22, 7_002);
  answer(next);
  await delivered();
  t.same(heard.slice(4), ['discovered 0 203.0.113.7 40321'], 'only what is not known yet is asked again');
  t.equal(asking?.writer.queued, 0);
  t.equal(idle?.writer.queued, 0);
  next.advance(5_000);
  const places = new Set(next.udp.sent.filter(({ bytes }) => bytes.length === 8).map((sent) => sent.port));
  t.same([...places].sort(), [5_001, 5_002], 'keepalives go on for what is open');
  port.disconnect();
});

/** Messages that are on their way in this process have arrived after a message there and back. */
async function delivered(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => {
      port1.once('message', resolve);
      port2.postMessage(0);
    });
  }
  port1.close();
}
