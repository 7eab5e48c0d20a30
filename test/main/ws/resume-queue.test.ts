// Claims about the queue of a client that is away (decision D4).
import t from 'tap';
import { ResumeQueue } from '../../../src/main/ws/resume-queue.js';

t.test('messages come back in order, once', { timeout: 10_000 }, (t) => {
  const queue = new ResumeQueue({ maxEvents: 10, maxBytes: 100 });
  for (const text of ['a', 'b', 'c']) t.equal(queue.push({ op: 'event', text }), true);
  t.equal(queue.length, 3);
  t.strictSame(
    queue.take().map(({ text }) => text),
    ['a', 'b', 'c'],
  );
  t.strictSame(queue.take(), []);
  t.end();
});

t.test('a full queue says so by number and by bytes, and keeps what it has', { timeout: 10_000 }, (t) => {
  const few = new ResumeQueue({ maxEvents: 1, maxBytes: 100 });
  t.equal(few.push({ op: 'event', text: 'a' }), true);
  t.equal(few.push({ op: 'event', text: 'b' }), false);
  const small = new ResumeQueue({ maxEvents: 10, maxBytes: 4 });
  t.equal(small.push({ op: 'event', text: 'éé' }), true, 'bytes, not characters');
  t.equal(small.push({ op: 'event', text: 'x' }), false);
  t.equal(small.take().length, 1);
  t.end();
});
