// How a ring is let go of, who takes over from a dead sender or a dead shard, and that numbers which wrap do no
// harm (architecture.md §3 points 6 and 7, reliability.md case 6). Runs in the test process.

import t from 'tap';
import { RingControl, RingReader, RingWriter } from '../../../src/shared/send-ring.js';
import { wordsPerRing } from '../../../src/shared/ring-slab.js';
import { RingWord } from '../../../src/shared/ring-words.js';
import { SenderSetting, Shard } from './sender-setting.js';

const LIMIT = { timeout: 10_000 };

t.test(
  'a closed ring is answered in the ring and then told, once, and sends nothing more',
  LIMIT,
  async (t) => {
    const s = new SenderSetting();
    const shard = s.playing(0, 10);
    s.advance(30);
    shard.writer.close();
    t.equal(shard.writer.control, RingControl.closing);
    s.control.close(0);
    t.equal(shard.writer.control, RingControl.closed);
    s.advance(12_000);
    t.same(s.heard('closed'), [0]);
    t.same(s.numbers(0), [0, 1]);
    t.equal(s.loop.run(s.clock.now()), Infinity, 'no keepalive either');
  },
);

t.test('a ring that was never opened can be closed', LIMIT, async (t) => {
  const s = new SenderSetting();
  const shard = new Shard(s.slab, 4);
  s.control.discover(4, '127.0.0.1', 7_000, 1);
  shard.writer.close();
  s.control.close(4);
  s.advance(5_000);
  t.same(s.heard('closed'), [4]);
  t.equal(s.udp.sent.length, 0);
});

t.test('the next player of a ring starts afresh', LIMIT, async (t) => {
  const s = new SenderSetting();
  const shard = s.playing(0, 10);
  s.advance(30);
  shard.writer.close();
  s.control.close(0);
  s.advance(1);
  const next = new Shard(s.slab, 0, 65_530, 0xffff_fff0);
  next.fill(2);
  s.control.start(0);
  s.advance(100);
  t.equal(s.left(0).length, 2, 'the place of the player before is forgotten');
  s.control.open(0, '127.0.0.3', 6_000, null);
  s.advance(30);
  t.same(
    s.left(0).map(({ port }) => port),
    [5_000, 5_000, 6_000, 6_000],
  );
});

t.test('a successor does not send the packet that its predecessor died with', LIMIT, async (t) => {
  const s = new SenderSetting();
  const shard = new Shard(s.slab, 0);
  shard.fill(4);
  const dead = new RingReader(s.slab, 0);
  dead.claim();
  dead.release(0);
  dead.claim();
  s.control.open(0, '127.0.0.1', 5_000, null);
  s.control.start(0);
  s.advance(100);
  t.same(s.numbers(0), [2, 3]);
  t.equal(shard.writer.queued, 0);
});

t.test('a successor finishes the closing of a ring, whether or not it was answered', LIMIT, async (t) => {
  const s = new SenderSetting();
  const asked = new Shard(s.slab, 0);
  asked.fill(2);
  const dead = new RingReader(s.slab, 0);
  dead.claim();
  asked.writer.close();
  s.control.close(0);
  const answered = new Shard(s.slab, 1);
  answered.writer.close();
  new RingReader(s.slab, 1).closed();
  s.control.close(1);
  s.advance(1);
  t.same(s.heard('closed'), [0, 1]);
  t.equal(asked.writer.control, RingControl.closed);
  t.equal(asked.writer.queued, 0);
});

t.test('of a dead shard what is sealed still leaves, then its rings are forgotten', LIMIT, async (t) => {
  const s = new SenderSetting();
  s.playing(0, 3);
  s.ring(1);
  s.control.discover(2, '127.0.0.1', 7_000, 1);
  const ending = s.playing(3, 1);
  ending.finish();
  s.advance(5);
  s.control.detach();
  s.advance(12_000);
  t.equal(s.left(0).length, 3);
  t.equal(s.left(3).length, 6);
  t.same(s.told, []);
  t.equal(s.count('missed'), 0);
  t.equal(s.loop.run(s.clock.now()), Infinity);
  const before = s.udp.sent.length;
  s.control.open(5, '127.0.0.1', 5_005, null);
  s.advance(12_000);
  t.equal(s.udp.sent.length, before, 'what comes after its end is ignored');
});

t.test('a ring that is taken back after its port has closed is forgotten, not missed', LIMIT, async (t) => {
  const s = new SenderSetting();
  const shard = s.playing(0, 5);
  s.advance(5);
  s.control.detach();
  shard.writer.flush();
  s.advance(100);
  t.equal(s.left(0).length, 1);
  t.equal(s.count('missed'), 0);
  t.equal(s.loop.run(s.clock.now()), Infinity);
});

t.test('indices that wrap at 16 and at 32 bits lose nothing', LIMIT, async (t) => {
  for (const head of [65_530, 0x7fff_fffa, -6]) {
    const s = new SenderSetting();
    const words = new Int32Array(s.slab.words, wordsPerRing(s.slab.slots) * 4, 16);
    words[RingWord.head] = head;
    words[RingWord.span] = (head << 16) | (head & 0xffff);
    const shard = new Shard(s.slab, 1, 65_533, 2 ** 32 - 3 * 960);
    s.control.open(1, '127.0.0.1', 5_001, null);
    shard.fill(1);
    s.control.start(1);
    s.advance(400, () => {
      if (shard.published < 15) shard.publish();
    });
    t.same(
      s.numbers(1),
      Array.from({ length: 15 }, (_, n) => n),
    );
    t.equal(shard.writer.head, (head + 15) | 0);
    t.equal(shard.writer.sequence, 12);
    t.equal(shard.writer.timestamp(0), 12 * 960);
  }
});

t.test('the clock passes 2^31 milliseconds', LIMIT, async (t) => {
  const s = new SenderSetting({ now: 2 ** 31 - 45 });
  const shard = s.playing(0, 5);
  s.advance(100);
  t.equal(s.left(0).length, 5);
  t.equal((Math.floor(s.clock.now()) - shard.writer.sentAt) | 0, s.clock.now() - (s.times(0)[4] ?? NaN));
  const other = new RingWriter(s.slab, 0);
  t.equal(other.queued, 0);
});
