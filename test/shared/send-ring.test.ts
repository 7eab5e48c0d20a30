// The send ring, rule by rule, with both ends in one thread: packets, flushes, room, wraps. Keys, removal and
// deaths are in send-ring-life.test.ts, two threads in send-ring-torture.test.ts.
import t from 'tap';
import { createSlab, Mark, RingControl, RingReader, RingWriter } from '../../src/shared/send-ring.js';
import { BYTES, drain, ends, put, SLOTS } from '../support/ring-ends.js';

const LIMIT = { timeout: 10_000 };

t.test('a ring nobody has used is closed and empty', LIMIT, async (t) => {
  const { writer, reader } = ends(0, false);
  t.equal(writer.control, RingControl.closed);
  t.equal(writer.room(1), -1, 'nothing is published before begin');
  t.equal(writer.queued, 0);
  t.ok(reader.empty);
  t.notOk(reader.claim());
  t.notOk(reader.recover());
  t.notOk(reader.closing());
  writer.begin(1, 2);
  t.equal(writer.control, RingControl.active);
  t.equal(writer.room(1), 0);
});

t.test('a packet comes out as it was published, with the words beside it', LIMIT, async (t) => {
  const { slab, writer, reader } = ends();
  const offset = writer.room(300);
  const packet = Buffer.from(Array.from({ length: 400 }, (_, i) => i % 251));
  writer.publish(packet, 300, offset, 0xfffffff0, 2 | Mark.end, 2 ** 40 + 0.25, -7);
  packet.fill(0);
  t.equal(writer.queued, 1);
  t.notOk(reader.empty);
  t.ok(reader.claim());
  t.equal(reader.offset, BYTES + offset, 'counted from the start of the slab');
  t.equal(reader.length, 300);
  t.equal(reader.timestamp, 0xfffffff0);
  t.equal(reader.mark & Mark.kindMask, 2);
  t.equal(reader.mark & Mark.end, Mark.end);
  t.equal(reader.sourceMs, 2 ** 40 + 0.25, 'a live stream may last longer than 25 days');
  t.equal(reader.tag, -7);
  t.same([...reader.packet()], [...Array.from({ length: 300 }, (_, i) => i % 251)]);
  t.same(reader.bytes.subarray(reader.offset, reader.offset + 300), Buffer.from(reader.packet()));
  t.equal(reader.bytes.buffer, slab.bytes);
  t.equal(writer.queued, 1, 'claimed is not done');
  reader.release(0);
  t.equal(writer.queued, 0);
  t.equal(writer.head, 1);
});

t.test('packets of two lengths and two scratch buffers do not take each other’s bytes', LIMIT, async (t) => {
  const { writer, reader } = ends();
  for (const [fill, length] of [
    [1, 50],
    [2, 60],
    [3, 50],
  ] as const) {
    put(writer, fill, length);
  }
  for (const [fill, length] of [
    [1, 50],
    [2, 60],
    [3, 50],
  ] as const) {
    reader.claim();
    t.same(Buffer.from(reader.packet()), Buffer.alloc(length, fill));
    reader.release(0);
  }
});

t.test('one packet is claimed at a time, oldest first', LIMIT, async (t) => {
  const { writer, reader } = ends();
  for (const fill of [1, 2, 3]) put(writer, fill);
  t.ok(reader.claim());
  t.notOk(reader.claim(), 'not before the release');
  t.equal(reader.tag, 1);
  reader.release(0);
  t.same(drain(reader), [2, 3]);
  t.notOk(reader.claim());
});

t.test('a flush takes back the newest packets but not the claimed one', LIMIT, async (t) => {
  const { writer, reader } = ends();
  for (const fill of [1, 2, 3, 4, 5]) put(writer, fill);
  reader.claim();
  reader.release(0);
  reader.claim();
  t.equal(writer.flush(), 3);
  t.equal(writer.queued, 1, 'the claimed one goes out');
  t.ok(reader.empty, 'nothing more can be claimed');
  t.equal(writer.flush(), 0, 'a second flush finds nothing');
  put(writer, 6);
  t.equal(reader.tag, 2);
  t.same(Buffer.from(reader.packet()), Buffer.alloc(50, 2), 'its bytes are untouched');
  reader.release(0);
  t.same(drain(reader), [6]);
});

t.test('what is sealed anew gets the sequence and timestamp of what was taken back', LIMIT, async (t) => {
  const { writer, reader } = ends();
  t.same(put(writer, 1), [100, 5_000]);
  t.same(put(writer, 2), [101, 5_960]);
  t.same(put(writer, 3, 50, 480_000), [102, 5_960 + 960 + 480_000], 'a gap comes on top');
  reader.claim();
  writer.flush();
  t.same(put(writer, 4), [101, 5_960]);
  writer.flush();
  t.same(put(writer, 5, 70, 960), [101, 6_920], 'with another gap if need be');
  reader.release(0);
  t.same(drain(reader), [5]);
  writer.flush();
  t.same(put(writer, 6), [102, 7_880], 'also when everything was sent');
});

t.test('a full ring flushed unclaimed still knows the last packet sent', LIMIT, async (t) => {
  const { writer, reader } = ends();
  put(writer, 1);
  drain(reader);
  for (let i = 0; i < SLOTS - 1; i++) t.ok(put(writer, 2));
  t.equal(put(writer, 3), null, 'at most SLOTS - 1 packets ahead');
  t.equal(writer.queued, SLOTS - 1);
  t.equal(writer.flush(), SLOTS - 1);
  t.same(put(writer, 4), [101, 5_960]);
});

t.test('a packet lies in one piece and never over one that is not done', LIMIT, async (t) => {
  const { writer, reader } = ends();
  t.equal(writer.room(BYTES + 1), -1, 'longer than the ring');
  t.equal(writer.room(BYTES), 0, 'as long as the ring');
  for (const fill of [1, 2, 3]) put(writer, fill, 1_300);
  t.equal(writer.room(196), 3_900, 'the rest at the end');
  t.equal(writer.room(197), -1, 'not in two pieces, and the start is taken');
  reader.claim();
  t.equal(writer.room(197), -1, 'claimed is not done');
  reader.release(0);
  t.equal(writer.room(1_300), 0, 'at the start once it is free');
  put(writer, 4, 1_000);
  t.equal(writer.room(301), -1, 'not over the oldest');
  t.equal(writer.room(300), 1_000, 'right up to it');
  put(writer, 5, 300);
  t.equal(writer.room(1), -1, 'full to the last byte is not empty');
  const seen: number[][] = [];
  while (reader.claim()) {
    seen.push([reader.tag, ...new Set(reader.packet())]);
    reader.release(0);
  }
  t.same(
    seen,
    [2, 3, 4, 5].map((fill) => [fill, fill]),
  );
  t.equal(writer.room(BYTES - 1_300 + 1), 0, 'an empty ring takes any packet');
});

t.test('a flush gives the bytes back too', LIMIT, async (t) => {
  const { writer, reader } = ends();
  for (const fill of [1, 2, 3]) put(writer, fill, 1_300);
  reader.claim();
  t.equal(put(writer, 4, 1_300), null);
  writer.flush();
  t.equal(writer.room(1_300), 1_300, 'behind the claimed one');
  t.equal(writer.room(2_797), -1, 'which is still being sent');
  reader.release(0);
  t.equal(writer.room(2_797), 0);
});

for (const [what, head] of [
  ['the signed wrap at 2^31', 2 ** 31 - 40],
  ['the unsigned wrap at 2^32', 2 ** 32 - 40],
  ['the wrap of the span at 16 bits', 2 ** 16 - 40],
  ['the sign of the span', 2 ** 15 - 40],
] as const) {
  t.test(`nothing is lost over ${what}`, LIMIT, async (t) => {
    const { slab, writer, reader } = ends(head);
    let sent = 0;
    let sealed = 0;
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < 6; i++, sealed++) {
        const expected = [(100 + sealed) & 0xffff, 5_000 + 960 * sealed];
        if (!t.same(put(writer, sealed % 200), expected)) return;
      }
      t.ok(reader.claim());
      const revoked = writer.flush();
      t.equal(revoked, 5 + (round === 0 ? 0 : 2), 'all but the claimed one');
      sealed -= revoked;
      t.equal(reader.tag, sent++ % 200);
      reader.release(0);
      for (let i = 0; i < 2; i++, sealed++) put(writer, sealed % 200);
      t.equal(writer.queued, 2);
      t.equal(writer.head, (head + sent) | 0);
      t.equal(new RingWriter(slab, 1).queued, 2, 'who opens the ring now sees the same');
    }
    t.same(drain(reader), [sent % 200, (sent + 1) % 200]);
  });
}

t.test('rings of one slab do not touch one another', LIMIT, async (t) => {
  const slab = createSlab(3, SLOTS, 1_024);
  const writers = [0, 1, 2].map((index) => new RingWriter(slab, index));
  const readers = [0, 1, 2].map((index) => new RingReader(slab, index));
  for (const writer of writers) {
    writer.begin(0, 0);
    for (let i = 0; i < SLOTS - 1; i++) put(writer, writer.index + 1, 33);
    put(writer, writer.index + 1, 1);
  }
  writers[1]?.flush();
  for (const index of [0, 2]) {
    const reader = readers[index]!;
    for (let i = 0; i < SLOTS - 1; i++) {
      t.ok(reader.claim());
      t.same([...new Set(reader.packet())], [index + 1]);
      reader.release(0);
    }
    t.notOk(reader.claim());
  }
  t.ok(readers[1]?.empty);
  t.equal(readers[1]?.index, 1);
});
