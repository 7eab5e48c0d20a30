// A socket whose kernel buffer is full (reliability.md case 39, an EAGAIN storm; architecture.md §3 point 3):
// the claim stays until the packet has left the ring's memory. Runs in the test process.

import t from 'tap';
import { RingWriter } from '../../../src/shared/send-ring.js';
import { SenderSetting } from './sender-setting.js';

const LIMIT = { timeout: 10_000 };

t.test('while the socket has a packet queued its claim stays and nothing else leaves', LIMIT, async (t) => {
  const s = new SenderSetting();
  const held = s.playing(0, 4);
  const other = s.playing(1, 4);
  s.control.discover(2, '127.0.0.1', 7_000, 9);
  s.advance(15);
  s.udp.full = true;
  const before = s.udp.sent.length;
  s.advance(300);
  t.equal(s.udp.queued, 1);
  t.equal(s.udp.sent.length, before, 'no other ring, no keepalive, no discovery');
  t.equal(held.writer.queued + other.writer.queued, 6);
  const head = held.writer.head;
  held.writer.flush();
  t.equal(held.writer.queued, 1, 'what is claimed cannot be taken back');
  t.equal(held.writer.head, head);
});

t.test(
  'when it has left the packet counts once, and its ring gets no longer burst for it',
  LIMIT,
  async (t) => {
    const s = new SenderSetting();
    const shard = s.playing(0, 12);
    s.advance(5);
    s.udp.full = true;
    s.advance(400);
    t.equal(s.left(0).length, 1);
    s.udp.drain();
    t.equal(shard.writer.head, 1, 'the sender has not looked yet');
    const drained = s.clock.now();
    s.advance(50);
    const times = s.times(0);
    t.same(times.slice(0, 4), [1_000, drained, drained, drained]);
    t.ok((times[4] ?? NaN) - drained >= 10);
    t.same(s.numbers(0), [...times.keys()]);
    t.equal(shard.writer.head, times.length);
    t.equal(s.count('sent'), times.length);
  },
);

t.test('a storm of full buffers loses, doubles and reorders nothing', LIMIT, async (t) => {
  const s = new SenderSetting();
  const shards = Array.from({ length: 30 }, (_, n) => s.ring(n));
  let turn = 0;
  s.advance(5_000, () => {
    turn++;
    if (turn % 7 === 0) s.udp.full = true;
    if (turn % 7 === 3) s.udp.drain();
    for (const shard of shards) {
      if (shard.writer.queued >= 5) continue;
      const idle = shard.writer.queued === 0;
      if (shard.publish() && idle) s.control.start(shard.index);
    }
  });
  s.udp.drain();
  s.advance(500);
  for (const { index, published, writer } of shards) {
    t.same(
      s.numbers(index),
      Array.from({ length: published }, (_, n) => n & 0xff),
    );
    t.ok(published > 200);
    t.equal(writer.queued, 0);
  }
});

t.test('a keepalive that is queued is not written over', LIMIT, async (t) => {
  const s = new SenderSetting();
  s.ring(0);
  s.ring(1);
  s.udp.full = true;
  // Both are due at once.
  s.clock.stall(1_000);
  s.advance(200);
  t.equal(s.udp.queued, 1);
  s.udp.drain();
  s.advance(200);
  t.same(
    s.udp.sent.map(({ bytes, port }) => `${port} ${bytes.toString('hex')}`),
    ['5000 1337cafe00000000', '5001 1337cafe00000000'],
  );
});

t.test(
  'a ring that is closed with a packet in the socket waits for it, and is closed once',
  LIMIT,
  async (t) => {
    const s = new SenderSetting();
    const shard = s.playing(0, 5);
    s.advance(5);
    s.udp.full = true;
    s.advance(30);
    shard.writer.close();
    s.control.close(0);
    s.advance(100);
    t.same(s.told, []);
    s.udp.drain();
    s.advance(100);
    t.same(s.heard('closed'), [0]);
    t.same(s.numbers(0), [0, 1]);
  },
);

t.test('of a dead shard the packet in the socket is waited for too', LIMIT, async (t) => {
  const s = new SenderSetting();
  s.playing(0, 2);
  s.advance(5);
  s.udp.full = true;
  s.advance(30);
  s.control.detach();
  s.udp.drain();
  s.advance(100);
  t.same(s.numbers(0), [0, 1]);
  t.equal(new RingWriter(s.slab, 0).queued, 0, 'its claim is released');
});
