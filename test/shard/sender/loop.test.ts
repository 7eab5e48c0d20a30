// The sender's loop on a clock that is moved by hand: which millisecond a packet leaves in, END, an empty ring,
// what is counted. Runs in the test process.

import t from 'tap';
import { DRIVER, LATE_BUCKETS } from '../../../src/shared/driver-words.js';
import { Mark } from '../../../src/shared/send-ring.js';
import { SenderSetting, Shard, spaced } from './sender-setting.js';

const LIMIT = { timeout: 10_000 };

t.test(
  'packets leave every 20 ms in the order of the ring, at the place that was opened',
  LIMIT,
  async (t) => {
    const s = new SenderSetting();
    const shard = s.playing(3, 10);
    s.advance(1_990, () => {
      if (shard.published < 100) shard.publish();
    });
    t.same(s.times(3), spaced(100, 1_000));
    t.same(
      s.numbers(3),
      Array.from({ length: 100 }, (_, n) => n),
    );
    t.ok(s.left(3).every(({ address, port }) => address === '127.0.0.1' && port === 5_003));
    t.equal(shard.writer.head, 100);
    t.equal(s.count('sent'), 100);
    t.equal(s.count('missed'), 0);
    t.equal(shard.writer.sentAt, 2_980);
  },
);

t.test('rings are spread over the 20 milliseconds, the one that has the fewest first', LIMIT, async (t) => {
  const s = new SenderSetting();
  const shards = Array.from({ length: 40 }, (_, n) => s.playing(n, 2));
  s.advance(20);
  t.same(
    shards.map(({ index }) => s.times(index)[0]),
    Array.from({ length: 40 }, (_, n) => 1_000 + (n % 20)),
  );
  shards[7]?.writer.close();
  s.control.close(7);
  s.playing(50, 2);
  s.advance(40);
  t.equal((s.times(50)[0] ?? NaN) % 20, 7);
});

t.test('a ring that ends delays none of those that share its millisecond', LIMIT, async (t) => {
  const s = new SenderSetting();
  const ending = s.ring(0);
  ending.publish(Mark.end);
  s.control.start(0);
  for (let ring = 1; ring < 60; ring++) s.playing(ring, 2);
  s.advance(45);
  for (const ring of [20, 40]) t.same(s.times(ring), spaced(2, 1_000));
  t.equal(s.count('maxLate'), 0);
});

t.test('a deadline is absolute: fractions of a millisecond do not add up', LIMIT, async (t) => {
  const s = new SenderSetting({ now: 1_000.37 });
  s.playing(0, 31);
  for (let n = 0; n < 31; n++) {
    s.advance(0);
    s.clock.advance(20.003);
  }
  s.advance(0);
  t.ok(s.times(0).every((at, n) => at >= 1_000 + n * 20 && at - (1_001 + n * 20) < 20));
  t.equal(s.count('skipped'), 0);
});

t.test(
  'the packet marked END parks its ring and is told, and what is parked sets no deadline',
  LIMIT,
  async (t) => {
    const s = new SenderSetting();
    const shard = s.playing(0, 2);
    shard.finish();
    s.advance(200);
    t.same(s.times(0), spaced(7, 1_000));
    t.same(s.told, [{ what: 'quiet', ring: 0, at: 1_120 }]);
    t.equal(s.count('silence'), 5);
    t.equal(s.count('sent'), 2);
    t.equal(s.count('missed'), 0);
    t.equal(shard.writer.underruns, 0);
    t.ok(s.loop.run(s.clock.now()) > 1_000, 'only the keepalive is left');
  },
);

t.test('what lies behind END goes on without a word', LIMIT, async (t) => {
  const s = new SenderSetting();
  const shard = s.playing(0, 1);
  shard.finish();
  shard.fill(2);
  s.advance(165);
  t.same(s.times(0), spaced(8, 1_000));
  t.same(s.told, []);
  t.equal(s.count('missed'), 1, 'behind the last of them nothing was promised');
});

t.test('what lay behind END and was taken back leaves END the last', LIMIT, async (t) => {
  const s = new SenderSetting();
  const shard = s.playing(0, 1);
  shard.finish();
  shard.fill(2);
  s.advance(105);
  t.equal(shard.writer.flush(), 2);
  s.advance(200);
  t.same(s.heard('quiet'), [0]);
  t.equal(s.count('missed'), 0);
});

t.test(
  'a ring that starts again within its 20 ms keeps its distance and its millisecond',
  LIMIT,
  async (t) => {
    const s = new SenderSetting();
    const shard = s.ring(0);
    shard.publish(Mark.end);
    s.control.start(0);
    s.advance(1);
    shard.fill(2);
    s.control.start(0);
    s.advance(100);
    t.same(s.times(0), spaced(3, 1_000));
  },
);

t.test('after a longer pause it starts in the next millisecond that is as free as any', LIMIT, async (t) => {
  const s = new SenderSetting();
  const shard = s.ring(0);
  shard.publish(Mark.end);
  s.control.start(0);
  s.advance(333);
  shard.publish(Mark.end);
  s.control.start(0);
  s.advance(50);
  t.same(s.times(0), [1_000, 1_333]);
});

t.test(
  'an empty ring without END is missed once a slot, for the shard and for us, and sends nothing',
  LIMIT,
  async (t) => {
    const s = new SenderSetting();
    const shard = s.playing(0, 2);
    s.advance(99);
    t.equal(s.count('missed'), 3);
    t.equal(shard.writer.underruns, 3);
    shard.fill(2);
    s.advance(40);
    t.same(s.times(0), [1_000, 1_020, 1_100, 1_120], 'it goes on in its millisecond, without being started');
    t.same(s.told, []);
  },
);

t.test('a ring that is empty for a minute is parked, and can be started again', LIMIT, async (t) => {
  const s = new SenderSetting();
  const shard = s.playing(0, 1);
  s.advance(70_000);
  const missed = s.count('missed');
  t.ok(missed > 2_990 && missed <= 3_000, `${missed} slots`);
  s.advance(10_000);
  t.equal(s.count('missed'), missed);
  shard.fill(1);
  s.control.start(0);
  s.advance(30);
  t.equal(s.left(0).length, 2);
});

t.test('a start before the place is known waits for it', LIMIT, async (t) => {
  const s = new SenderSetting();
  const shard = new Shard(s.slab, 0);
  shard.fill(2);
  s.control.start(0);
  s.advance(100);
  t.same(s.udp.sent, []);
  s.control.open(0, '127.0.0.1', 5_000, null);
  s.advance(30);
  t.same(s.times(0), [1_100, 1_120]);
});

t.test('a start that finds nothing is answered with quiet', LIMIT, async (t) => {
  const s = new SenderSetting();
  const shard = s.ring(0);
  shard.fill(3);
  shard.writer.flush();
  s.control.start(0);
  s.advance(100);
  t.same(s.heard('quiet'), [0]);
  t.equal(s.count('missed'), 0);
});

t.test('a ring whose place changes goes on at the new one, in its millisecond', LIMIT, async (t) => {
  const s = new SenderSetting();
  s.playing(0, 4);
  s.advance(25);
  s.control.open(0, '127.0.0.2', 6_000, null);
  s.advance(40);
  t.same(
    s.left(0).map(({ at, address, port }) => `${at} ${address}:${port}`),
    ['1000 127.0.0.1:5000', '1020 127.0.0.1:5000', '1040 127.0.0.2:6000', '1060 127.0.0.2:6000'],
  );
});

t.test('the rings of several shards run in one loop and are told apart', LIMIT, async (t) => {
  const s = new SenderSetting();
  const other = new SenderSetting();
  const heard: string[] = [];
  const control = s.loop.attach(other.slab, {
    discovered: () => undefined,
    quiet: (ring) => void heard.push(`quiet ${ring}`),
    closed: (ring) => void heard.push(`closed ${ring}`),
  });
  s.playing(0, 3);
  const shard = other.ring(0);
  shard.publish(Mark.end);
  control.open(0, '127.0.0.9', 9_000, null);
  control.start(0);
  s.advance(50);
  t.equal(s.left(0).filter(({ port }) => port === 9_000).length, 1);
  t.equal(s.left(0).filter(({ port }) => port === 5_000).length, 3);
  t.same(heard, ['quiet 0']);
  t.same(s.told, []);
});

t.test('lateness is counted in its bucket, silence too, and the greatest is kept', LIMIT, async (t) => {
  const s = new SenderSetting();
  const shard = s.playing(0, 1);
  shard.publish(2);
  s.advance(0);
  s.clock.stall(32);
  s.advance(0);
  t.same(
    LATE_BUCKETS.map((_, n) => s.counters[DRIVER.late + n]),
    [1, 0, 0, 0, 1, 0, 0, 0, 0],
  );
  t.equal(s.count('maxLate'), 12);
  t.equal(s.count('silence'), 1);
});

t.test('work that comes between two turns wakes whoever runs the loop', LIMIT, async (t) => {
  const s = new SenderSetting();
  let woken = 0;
  s.loop.onWork(() => woken++);
  t.equal(s.loop.run(1_000), Infinity, 'with nothing open there is no deadline at all');
  const shard = s.ring(0);
  t.equal(woken, 1);
  shard.fill(1);
  s.control.start(0);
  t.equal(woken, 2);
  s.control.discover(1, '127.0.0.1', 7_000, 1);
  t.equal(woken, 3);
  s.loop.close();
  t.ok(s.udp.closed);
  s.control.discover(2, '127.0.0.1', 7_000, 2);
  t.equal(woken, 3);
});

t.test('an error of the socket is counted', LIMIT, async (t) => {
  const s = new SenderSetting();
  s.playing(0, 2);
  s.udp.listener?.failed();
  s.advance(50);
  t.equal(s.count('failed'), 1);
  t.equal(s.left(0).length, 2);
});

t.test('a ring that the slab does not have is ignored, and a place that is none', LIMIT, async (t) => {
  const s = new SenderSetting();
  s.control.open(0, '127.0.0.1', 0, null);
  for (const ring of [-1, 64, 0.5, NaN]) {
    s.control.open(ring, '127.0.0.1', 5_000, null);
    s.control.start(ring);
    s.control.discover(ring, '127.0.0.1', 5_000, 1);
    s.control.close(ring);
  }
  s.advance(6_000);
  t.same([s.udp.sent, s.told], [[], []]);
});
