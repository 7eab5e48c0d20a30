// How large the rings of a shard are, and that a ring grows into what is kept for it only when it must.
import t from 'tap';
import { leadFrames, slabFor } from '../../src/shared/ring-plan.js';
import { RingReader, RingWriter } from '../../src/shared/send-ring.js';

const LIMIT = { timeout: 10_000 };

t.test('a lead of 400 ms begins with 8 KiB a ring and may grow to 32', LIMIT, (t) => {
  const { firstBytes, ringBytes, slots } = slabFor(400, 8);
  t.strictSame({ firstBytes, ringBytes, slots }, { firstBytes: 8_192, ringBytes: 32_768, slots: 32 });
  t.equal(slabFor(1_000, 8).ringBytes, 65_536);
  t.end();
});

t.test(
  'frames of any size lie as far ahead as the lead says, and small ones touch no more memory',
  LIMIT,
  (t) => {
    const lead = leadFrames(400);
    for (const length of [100, 380, 700, 1_275 + 40]) {
      const slab = slabFor(400, 1);
      const writer = new RingWriter(slab, 0);
      const reader = new RingReader(slab, 0);
      writer.begin(0, 0);
      const packet = new Uint8Array(1_400).fill(7);
      let highest = 0;
      const fill = (): void => {
        while (writer.queued < lead) {
          const offset = writer.room(length);
          if (offset < 0) return;
          highest = Math.max(highest, offset + length);
          writer.publish(packet, length, offset, writer.timestamp(0), 0, 0, 0);
        }
      };
      fill();
      for (let sent = 0; sent < 200; sent++) {
        t.ok(reader.claim() && reader.length === length);
        reader.release(sent);
        fill();
      }
      t.equal(writer.queued, lead, `${length} bytes a packet`);
      t.ok(highest <= (length < 400 ? slab.firstBytes : slab.ringBytes));
    }
    t.end();
  },
);

t.test('a ring that is begun anew is small again', LIMIT, (t) => {
  const slab = slabFor(400, 1);
  const writer = new RingWriter(slab, 0);
  const reader = new RingReader(slab, 0);
  const fill = (length: number): number => {
    let highest = 0;
    for (let offset = writer.room(length); offset >= 0 && writer.queued < 20; offset = writer.room(length)) {
      highest = Math.max(highest, offset + length);
      writer.publish(new Uint8Array(length), length, offset, 0, 0, 0, 0);
    }
    return highest;
  };
  writer.begin(0, 0);
  t.ok(fill(1_300) > slab.firstBytes);
  writer.close();
  t.ok(reader.closed());
  writer.begin(0, 0);
  t.ok(fill(300) <= slab.firstBytes);
  t.end();
});
