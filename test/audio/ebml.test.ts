// The numbers and elements of EBML, and the packing of several frames into one block.
import * as fc from 'fast-check';
import t from 'tap';
import { EBML, eachElement, ElementHead, UNKNOWN_SIZE, vint, vintBytes } from '../../src/audio/ebml.js';
import { unlace } from '../../src/audio/matroska-lacing.js';
import { element, vintOf } from '../support/matroska-file.js';

const LIMIT = { timeout: 20_000 };

t.test('a number of variable length is read back, however long it was made', LIMIT, async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 34 }), fc.integer({ min: 1, max: 6 }), (value, least) => {
      const bytes = vintOf(value, least);
      return vintBytes(bytes, 0) === bytes.length && vint(bytes, 0, bytes.length) === value;
    }),
    { numRuns: 300 },
  );
  t.equal(vintBytes(Buffer.of(0), 0), 0);
  t.equal(vintBytes(Buffer.of(), 0), 0);
});

t.test('an element that does not say how long it is is told from the longest ones', LIMIT, async (t) => {
  const head = new ElementHead();
  for (const size of ['ff', '7fff', '01ffffffffffffff']) {
    t.ok(head.read(Buffer.from(`1f43b675${size}`, 'hex'), 0));
    t.equal(head.id, EBML.cluster);
    t.equal(head.size, UNKNOWN_SIZE);
  }
  t.ok(head.read(Buffer.from('ecfe', 'hex'), 0));
  t.equal(head.size, 126);
  t.ok(head.read(Buffer.from('ec01fffffffffffffe', 'hex'), 0));
  t.ok(head.size > 2 ** 55);
});

t.test('heads that are cut off or make no sense are none', LIMIT, async (t) => {
  const head = new ElementHead();
  for (const bytes of ['', '1f43b6', '1f43b675', '1f43b67501', 'ec', 'ec00', '00ec80', '0f1122334480'])
    t.notOk(head.read(Buffer.from(bytes, 'hex'), 0), bytes);
});

t.test('any bytes are walked through to an end', LIMIT, async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      let visited = 0;
      eachElement(bytes, () => visited++);
      return visited <= bytes.length;
    }),
    { numRuns: 300 },
  );
});

t.test('elements come in order with their content, up to the one that is cut', LIMIT, async (t) => {
  const bytes = Buffer.concat([
    element('d7', Buffer.of(5)),
    element('ec', Buffer.alloc(200)),
    element('4dbb'),
  ]);
  const found: [number, number][] = [];
  eachElement(bytes.subarray(0, -1), (id, content) => found.push([id, content.length]));
  t.strictSame(found, [
    [0xd7, 1],
    [0xec, 200],
  ]);
});

t.test('a lace that makes no sense is none', LIMIT, async (t) => {
  for (const [payload, lacing] of [
    ['', 1],
    ['02ff', 1],
    ['0205ff01', 1],
    ['018a0102', 3],
    ['02', 3],
    ['0281', 3],
    // The second size is less than nothing.
    ['0282800102030405', 3],
  ] as const)
    t.equal(unlace(Buffer.from(payload, 'hex'), lacing), null, payload);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.constantFrom(1, 2, 3), (payload, lacing) => {
      const frames = unlace(payload, lacing);
      const total = frames?.reduce((sum, { length }) => sum + length, 0) ?? 0;
      return total <= payload.length;
    }),
    { numRuns: 300 },
  );
});
