// The lives of a send ring: its key and nonces, removal and reuse, and the deaths of either end.
import t from 'tap';
import { RingWord } from '../../src/shared/ring-words.js';
import { RingControl, RingReader, RingWriter } from '../../src/shared/send-ring.js';
import { drain, ends, poke, put } from '../support/ring-ends.js';

const LIMIT = { timeout: 10_000 };

t.test('sequence and timestamp wrap exactly (reliability.md case 6)', LIMIT, async (t) => {
  const { writer, reader } = ends(0, false);
  writer.begin(65_530, 2 ** 32 - 5 * 960);
  const got = Array.from({ length: 8 }, (_, i) => put(writer, i));
  t.same(
    got.map((pair) => pair?.[0]),
    [65_530, 65_531, 65_532, 65_533, 65_534, 65_535, 0, 1],
  );
  t.same(
    got.map((pair) => pair?.[1]),
    [...[5, 4, 3, 2, 1].map((left) => 2 ** 32 - left * 960), 0, 960, 1_920],
  );
  for (const pair of got) {
    reader.claim();
    t.equal(reader.timestamp, pair?.[1]);
    reader.release(0);
  }
});

t.test('a key ends before its nonces repeat (reliability.md case 6)', LIMIT, async (t) => {
  const { slab, writer, reader } = ends();
  poke(slab, RingWord.nonce, 2 ** 32 - 3);
  t.equal(writer.takeNonce(), 2 ** 32 - 3);
  t.equal(writer.takeNonce(), 2 ** 32 - 2);
  t.throws(() => writer.takeNonce(), { code: 'PUM_NONCE_EXHAUSTED' });
  t.throws(() => writer.takeNonce(), { code: 'PUM_NONCE_EXHAUSTED' }, 'and stays so');
  writer.close();
  reader.closed();
  writer.begin(0, 0);
  t.equal(writer.takeNonce(), 0, 'a new key begins anew');
});

t.test('no nonce is given twice: not after a flush, not to whoever adopts the ring', LIMIT, async (t) => {
  const { slab, writer } = ends();
  t.equal(writer.takeNonce(), 0);
  put(writer, 1);
  writer.flush();
  t.equal(writer.takeNonce(), 1);
  t.equal(writer.takeNonce(), 2, 'nor when nothing was published with it');
  t.equal(new RingWriter(slab, 1).takeNonce(), 3);
});

t.test('a ring is removed, let go by the sender, and begun again under a new key', LIMIT, async (t) => {
  const { writer, reader } = ends();
  t.throws(() => writer.begin(0, 0), { code: 'PUM_RING_IN_USE' });
  t.notOk(reader.closed(), 'the sender lets go of no ring in use');
  for (const fill of [1, 2, 3]) put(writer, fill);
  reader.claim();
  writer.close();
  t.equal(writer.control, RingControl.closing);
  t.equal(writer.queued, 1, 'closing flushes');
  t.equal(writer.room(10), -1, 'nothing is published any more');
  t.ok(reader.closing());
  t.notOk(reader.closed(), 'not while a packet is being sent');
  t.throws(() => writer.begin(0, 0), { code: 'PUM_RING_IN_USE' }, 'not before the sender has let go');
  reader.release(0);
  t.ok(reader.closed());
  t.equal(writer.control, RingControl.closed);
  t.notOk(reader.closing());
  writer.close();
  t.equal(writer.control, RingControl.closed, 'closing a closed ring does nothing');
  writer.takeNonce();
  writer.begin(7, 1_000_000);
  t.equal(writer.takeNonce(), 0);
  t.same(put(writer, 4), [7, 1_000_000]);
  t.same(put(writer, 5), [8, 1_000_960]);
  t.same(drain(reader), [4, 5]);
  t.equal(writer.head, 3, 'indices run on');
});

t.test('a new sender ends the claim in which the old one died, and sends it not', LIMIT, async (t) => {
  const { slab, writer, reader } = ends(2 ** 32 - 1);
  for (const fill of [1, 2, 3]) put(writer, fill);
  reader.claim();
  const successor = new RingReader(slab, 1);
  t.notOk(successor.claim(), 'nothing is claimed over an open claim');
  t.equal(writer.flush(), 2);
  put(writer, 4);
  t.ok(successor.recover());
  t.equal(writer.head, 0, 'done, whether it was sent or not');
  t.notOk(successor.recover(), 'once');
  t.same(drain(successor), [4]);
});

t.test('a closing ring with the open claim of a dead sender is let go after recovery', LIMIT, async (t) => {
  const { slab, writer, reader } = ends();
  put(writer, 1);
  reader.claim();
  writer.close();
  const successor = new RingReader(slab, 1);
  t.notOk(successor.closed());
  successor.recover();
  t.ok(successor.closed());
  t.equal(writer.control, RingControl.closed);
});

t.test('whoever adopts the ring of a dead shard goes on where it stopped', LIMIT, async (t) => {
  const { slab, writer, reader } = ends();
  for (const fill of [1, 2, 3]) put(writer, fill);
  reader.claim();
  const adopted = new RingWriter(slab, 1);
  t.equal(adopted.queued, 3);
  t.same(put(adopted, 4), [103, 5_000 + 3 * 960]);
  t.equal(adopted.flush(), 3);
  t.same(put(adopted, 5), [101, 5_960]);
  adopted.close();
  reader.release(0);
  t.ok(reader.closed());
});

t.test('underruns are those since begin, and the last send has a time', LIMIT, async (t) => {
  const { writer, reader } = ends();
  reader.underrun();
  reader.underrun();
  t.equal(writer.underruns, 2);
  put(writer, 1);
  reader.claim();
  reader.release(1_234.9);
  t.equal(writer.sentAt, 1_234);
  writer.close();
  reader.closed();
  writer.begin(0, 0);
  t.equal(writer.underruns, 0);
  reader.underrun();
  t.equal(writer.underruns, 1);
  const later = 2 ** 31 + 5.5;
  put(writer, 2);
  reader.claim();
  reader.release(later);
  t.equal((((later + 20) | 0) - writer.sentAt) | 0, 20, 'a difference survives the wrap');
});
