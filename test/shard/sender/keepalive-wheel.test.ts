// Keepalives of a sender's rings: every 5 s whatever else happens, spread, from one wheel (discord-voice.md
// §1.7, reliability.md case 39). Runs in the test process, on a clock that is moved by hand.

import t from 'tap';
import { KeepaliveWheel } from '../../../src/shard/sender/keepalive-wheel.js';
import { Lane } from '../../../src/shard/sender/lane.js';
import { RingReader } from '../../../src/shared/send-ring.js';
import { SenderSetting, type Datagram } from './sender-setting.js';

const LIMIT = { timeout: 20_000 };

const keepalives = (s: SenderSetting, port: number): Datagram[] =>
  s.udp.sent.filter(({ bytes, port: to }) => bytes.length === 8 && to === port);

t.test('an idle ring that is open sends one every 5 s, with a number that grows', LIMIT, async (t) => {
  const s = new SenderSetting();
  s.ring(0);
  s.advance(26_000);
  const sent = keepalives(s, 5_000);
  t.equal(sent.length, 6);
  t.ok((sent[0]?.at ?? NaN) - 1_000 <= 100);
  t.same(
    sent.map(({ bytes }) => bytes.toString('hex')),
    [0, 1, 2, 3, 4, 5].map((n) => `1337cafe0000000${n}`),
  );
  t.ok(sent.every(({ at }, n) => n === 0 || at - (sent[n - 1]?.at ?? 0) === 5_000));
});

t.test('a playing ring does too, in step, and its packets stay on their grid', LIMIT, async (t) => {
  const s = new SenderSetting();
  const shard = s.playing(0, 10);
  s.advance(11_000, () => void shard.publish());
  t.equal(keepalives(s, 5_000).length, 3);
  t.ok(s.times(0).every((at, n) => at === 1_000 + n * 20));
});

t.test('a thousand idle rings share 100 wakes in 5 s, ten keepalives each', LIMIT, async (t) => {
  const s = new SenderSetting({ rings: 1_000 });
  for (let ring = 0; ring < 1_000; ring++) s.control.open(ring, '127.0.0.1', 5_000 + ring, null);
  let turns = 0;
  s.advance(5_000, () => turns++);
  t.equal(s.udp.sent.length, 1_000);
  const at = new Map<number, number>();
  for (const { at: time } of s.udp.sent) at.set(time, (at.get(time) ?? 0) + 1);
  t.same(
    [...at.values()],
    Array.from({ length: 100 }, () => 10),
  );
  t.ok(turns <= 102, `${turns} turns`);
});

t.test('after a stall of any length a ring sends one, not all that it missed', LIMIT, async (t) => {
  for (const stall of [7_000, 60_000]) {
    const s = new SenderSetting();
    for (let ring = 0; ring < 60; ring++) s.ring(ring);
    s.advance(10_000);
    const before = s.udp.sent.length;
    s.clock.stall(stall);
    s.advance(0);
    t.equal(s.udp.sent.length - before, 60);
    s.advance(5_000);
    t.equal(s.udp.sent.length - before, 120);
  }
});

t.test(
  'a ring that is closed sends none, and a place that changes gets them from then on',
  LIMIT,
  async (t) => {
    const s = new SenderSetting();
    const shard = s.ring(0);
    s.advance(100);
    s.control.open(0, '127.0.0.1', 6_000, null);
    s.advance(5_000);
    t.equal(keepalives(s, 5_000).length, 1);
    t.equal(keepalives(s, 6_000).length, 1);
    shard.writer.close();
    s.control.close(0);
    s.advance(20_000);
    t.equal(keepalives(s, 6_000).length, 1);
  },
);

t.test('the number wraps at 32 bits', LIMIT, async (t) => {
  const s = new SenderSetting();
  const wheel = new KeepaliveWheel(s.udp);
  const owner = { quiet: () => undefined, drained: () => undefined };
  const lane = new Lane(new RingReader(s.slab, 0), owner, s.loop);
  lane.keepalives = 0xffff_ffff;
  wheel.add(lane, 0);
  wheel.run(wheel.due);
  wheel.run(wheel.due);
  t.same(
    s.udp.sent.map(({ bytes }) => bytes.readUInt32BE(4)),
    [0xffff_ffff, 0],
  );
});
