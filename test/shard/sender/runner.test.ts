// What runs a sender's loop: one timer to the next deadline, none when there is none, and awake at once for new
// work. Runs in the test process, on a clock that is moved by hand.

import t from 'tap';
import { SenderRunner } from '../../../src/shard/sender/runner.js';
import { SenderSetting, spaced } from './sender-setting.js';

const LIMIT = { timeout: 10_000 };

t.test('packets leave at their deadlines without anybody asking', LIMIT, async (t) => {
  const s = new SenderSetting();
  const runner = new SenderRunner(s.clock, s.loop);
  t.equal(s.clock.pending, 0);
  const shard = s.playing(0, 5);
  shard.finish();
  s.clock.advance(500);
  t.same(s.times(0), spaced(10, 1_000));
  t.same(s.heard('quiet'), [0]);
  t.equal(s.clock.pending, 1, 'for the keepalive');
  runner.close();
  t.equal(s.clock.pending, 0);
});

t.test('a start between two deadlines is not kept waiting', LIMIT, async (t) => {
  const s = new SenderSetting();
  const runner = new SenderRunner(s.clock, s.loop);
  s.ring(0);
  s.clock.advance(3_000);
  t.equal(s.clock.pending, 1);
  s.playing(1, 2);
  s.clock.advance(30);
  t.same(s.times(1), spaced(2, 4_000));
  t.equal(s.clock.pending, 1, 'the timer that was set before is not left behind');
  runner.close();
});

t.test('when everything is closed nothing is set', LIMIT, async (t) => {
  const s = new SenderSetting();
  const runner = new SenderRunner(s.clock, s.loop);
  const shard = s.playing(0, 2);
  s.clock.advance(30);
  shard.writer.close();
  s.control.close(0);
  s.clock.advance(10);
  t.same(s.heard('closed'), [0]);
  t.equal(s.clock.pending, 0);
  runner.close();
  s.playing(1, 2);
  s.clock.advance(100);
  t.same(s.times(1), [], 'a closed runner sends nothing');
});

t.test('a full socket is looked at again every millisecond, not at every turn', LIMIT, async (t) => {
  const s = new SenderSetting();
  const runner = new SenderRunner(s.clock, s.loop);
  s.playing(0, 5);
  s.udp.full = true;
  s.clock.advance(100);
  t.equal(s.udp.queued, 1);
  s.udp.drain();
  s.clock.advance(50);
  t.equal(s.left(0).length, 5);
  runner.close();
});

t.test('what a shard asks for while it is told something is done', LIMIT, async (t) => {
  const s = new SenderSetting();
  const runner = new SenderRunner(s.clock, s.loop);
  const shard = s.playing(0, 1);
  shard.finish();
  let again = true;
  s.onTold = (told) => {
    if (told.what !== 'quiet' || !again) return;
    again = false;
    shard.fill(1);
    shard.finish();
    s.control.start(0);
  };
  s.clock.advance(1_000);
  t.same(s.times(0), spaced(12, 1_000));
  t.same(s.heard('quiet'), [0, 0]);
  runner.close();
});
