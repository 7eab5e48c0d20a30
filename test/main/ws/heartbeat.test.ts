// Claims about noticing a half-open client (reliability.md case 28).
import t from 'tap';
import { Heartbeat } from '../../../src/main/ws/heartbeat.js';
import { FakeSocket } from '../../support/main-node.js';
import { ManualClock } from '../../support/manual-clock.js';

const TIMES = { interval: 30_000, timeout: 10_000 };

t.test('a client that answers is pinged for ever and never cut', { timeout: 10_000 }, (t) => {
  const clock = new ManualClock();
  const socket = new FakeSocket();
  const heartbeat = new Heartbeat(clock, socket, TIMES);
  for (let round = 1; round <= 5; round++) {
    clock.advance(30_000);
    t.equal(socket.pings, round);
    heartbeat.pong();
  }
  t.equal(socket.closed, null);
  heartbeat.stop();
  t.equal(clock.pending, 0);
  t.end();
});

t.test('a client that does not answer is cut within interval and timeout', { timeout: 10_000 }, (t) => {
  const clock = new ManualClock();
  const socket = new FakeSocket();
  new Heartbeat(clock, socket, TIMES);
  clock.advance(39_999);
  t.equal(socket.closed, null);
  clock.advance(1);
  t.equal(socket.closed, 1006);
  t.equal(clock.pending, 0, 'no timer is left');
  t.end();
});
