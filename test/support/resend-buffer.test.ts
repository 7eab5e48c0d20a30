// Numbering and what is kept for a Resume, over every wrap of the 16-bit counter (discord-voice.md §1.2, §1.3).
import t from 'tap';
import { ResendBuffer } from './resend-buffer.js';

const LIMIT = { timeout: 10_000 };
const seqs = (buffer: ResendBuffer, seqAck: number) =>
  buffer.since(seqAck)?.map((message) => message.seq) ?? null;

t.test('JSON carries its number at the top, binary in front', LIMIT, async (t) => {
  const buffer = new ResendBuffer(0, 10);
  t.same(JSON.parse(String(buffer.json(11, { a: 1 }).data)), { op: 11, d: { a: 1 }, seq: 0 });
  t.same(buffer.binary(25, Buffer.from('ff', 'hex')).data, Buffer.from('000119ff', 'hex'));
  t.equal(buffer.seq, 1);
});

t.test('what is newer than the acknowledged message is sent again, also over the wrap', LIMIT, async (t) => {
  const buffer = new ResendBuffer(65_534, 10);
  for (let n = 0; n < 4; n++) buffer.json(11, null);
  t.same(seqs(buffer, -1), [65_534, 65_535, 0, 1]);
  t.same(seqs(buffer, 65_535), [0, 1]);
  t.same(seqs(buffer, 1), []);
  buffer.acknowledge(0);
  t.same(seqs(buffer, -1), [1]);
});

t.test('a message that was thrown away is missed by whoever does not have it', LIMIT, async (t) => {
  const buffer = new ResendBuffer(0, 2);
  for (let n = 0; n < 4; n++) buffer.json(11, null);
  t.same(seqs(buffer, 0), null);
  t.same(seqs(buffer, 1), [2, 3]);
});

t.test('one that was acknowledged since is not missed a whole counter later', LIMIT, async (t) => {
  const buffer = new ResendBuffer(0, 2);
  for (let n = 0; n < 3; n++) buffer.json(11, null);
  for (let n = 3; n < 40_000; n++) {
    buffer.acknowledge(buffer.seq);
    buffer.json(11, null);
  }
  t.same(seqs(buffer, 39_998), [39_999]);
});
