// Claims about sending: nothing that the kernel did not take is forgotten (reliability.md case 27).
import t from 'tap';
import type { OutMessage } from '../../../src/main/ws/messages.js';
import { Outbox } from '../../../src/main/ws/outbox.js';
import { FakeSocket } from '../../support/main-node.js';
import { ManualClock } from '../../support/manual-clock.js';

const message = (number: number): OutMessage => ({ op: 'event', text: `message ${number}` });
const LIMITS = { replayMark: 40, maxBacklog: 60 };

function outbox(socket: FakeSocket, clock = new ManualClock()) {
  const accepted: string[] = [];
  const box = new Outbox(socket, clock, LIMITS, ({ text }) => accepted.push(text));
  return { box, accepted, clock };
}

t.test('what the kernel took is not kept', { timeout: 10_000 }, (t) => {
  const socket = new FakeSocket();
  const { box, accepted } = outbox(socket);
  t.equal(box.send(message(1)), true);
  t.strictSame(accepted, ['message 1']);
  t.strictSame(box.end(), []);
  t.end();
});

t.test('what it did not take is handed over whole and in order', { timeout: 10_000 }, (t) => {
  const socket = new FakeSocket();
  const { box, clock } = outbox(socket);
  socket.stuckAt = 1_000;
  for (const number of [1, 2, 3]) box.send(message(number));
  // Each is 9 bytes and a header of 2: the kernel took the first and half of the second.
  socket.buffered = 17;
  clock.advance(50);
  t.strictSame(
    box.end().map(({ text }) => text),
    ['message 2', 'message 3'],
  );
  t.equal(clock.pending, 0, 'no timer is left');
  t.end();
});

t.test('what drained later is not sent twice after a resume', { timeout: 10_000 }, (t) => {
  const socket = new FakeSocket();
  const { box, clock } = outbox(socket);
  socket.stuckAt = 1_000;
  box.send(message(1));
  socket.buffered = 0;
  clock.advance(50);
  t.strictSame(box.end(), []);
  t.end();
});

t.test('a message that closes the socket is reported as not on its way', { timeout: 10_000 }, (t) => {
  const socket = new FakeSocket();
  const { box } = outbox(socket);
  socket.stuckAt = 30;
  t.equal(box.send(message(1)), true);
  t.equal(box.send(message(2)), true);
  t.equal(box.send(message(3)), false);
  t.equal(socket.closed, 1008);
  t.strictSame(
    box.end().map(({ text }) => text),
    ['message 1', 'message 2'],
  );
  t.end();
});

t.test(
  'missed messages go out as fast as the client reads, later ones behind them',
  { timeout: 10_000 },
  (t) => {
    const socket = new FakeSocket();
    const { box, clock } = outbox(socket);
    socket.stuckAt = 1_000;
    box.replay([1, 2, 3, 4, 5].map(message));
    t.strictSame(socket.texts.length, 4, 'up to the mark of 40 bytes');
    t.equal(box.send(message(6)), true);
    t.equal(socket.texts.length, 4);
    socket.buffered = 0;
    clock.advance(50);
    t.strictSame(
      socket.texts,
      [1, 2, 3, 4, 5, 6].map((number) => `message ${number}`),
    );
    t.end();
  },
);

t.test(
  'a client that never reads what it missed is closed, and nothing is lost',
  { timeout: 10_000 },
  (t) => {
    const socket = new FakeSocket();
    const { box } = outbox(socket);
    socket.stuckAt = 1_000;
    box.replay([1, 2, 3, 4, 5, 6].map(message));
    let number = 7;
    while (number < 100 && box.send(message(number))) number++;
    t.equal(socket.closed, 1008);
    t.equal(box.end().length, number - 1);
    t.end();
  },
);
