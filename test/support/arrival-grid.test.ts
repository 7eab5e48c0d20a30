// Lateness against a stream's own grid, and nonces one bit each: both are counted for millions of packets, so both
// are held to a plain reckoning over all of them.
import fc from 'fast-check';
import t from 'tap';
import { ArrivalGrid, type LatenessHistogram } from './arrival-grid.js';
import { NonceLedger } from './nonce-ledger.js';

const LIMIT = { timeout: 10_000 };

t.test('an even stream is never late, whatever its phase', LIMIT, async (t) => {
  const grid = new ArrivalGrid();
  for (let n = 0; n < 100; n++) grid.add(n, 7.3 + n * 20, n === 0);
  t.same(grid.summary(), { frames: 100, p50: 0, p99: 0, p999: 0, max: 0, segments: 1, rebases: 0 });
});

t.test('a stream that begins late is measured against its earliest frame', LIMIT, async (t) => {
  const grid = new ArrivalGrid();
  for (let n = 0; n < 100; n++) grid.add(n, n * 20 + (n < 10 ? 5 : 0), n === 0);
  t.match(grid.summary(), { frames: 100, p50: 0, p99: 5, max: 5 });
});

const ticks = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 300 });

t.test('percentiles are those of the sorted latenesses', LIMIT, async (t) => {
  const property = fc.property(ticks, (some) => {
    const grid = new ArrivalGrid();
    const late = some.map((tick) => tick / 20); // The grid counts in 0.05 ms.
    for (const [n, ms] of late.entries()) grid.add(n, 1_000 + n * 20 + ms, n === 0);
    const sorted = late.map((ms) => ms - Math.min(...late)).sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1]!;
    const { p50, p99, max } = grid.summary();
    const off = [p50 - at(0.5), p99 - at(0.99), max - at(1)];
    return off.every((ms) => Math.abs(ms) < 1e-6);
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 200 }));
});

t.test('a pause begins a new grid', LIMIT, async (t) => {
  const grid = new ArrivalGrid();
  for (let n = 0; n < 50; n++) grid.add(n, n * 20, n === 0);
  for (let n = 50; n < 100; n++) grid.add(n, n * 20 + 1_234.5, n === 50);
  t.match(grid.summary(), { frames: 100, max: 0, segments: 2, rebases: 0 });
});

t.test(
  'a stream that stays late gets a new grid after a second, and its late frames stay late',
  LIMIT,
  async (t) => {
    const grid = new ArrivalGrid();
    for (let n = 0; n < 300; n++) grid.add(n, n * 20 + (n < 100 ? 0 : 500), n === 0);
    const summary = grid.summary();
    t.match(summary, { frames: 300, max: 500, rebases: 1 });
    t.equal(summary.p50, 0, 'those behind the new grid are not');
  },
);

t.test('grids of many streams add up', LIMIT, async (t) => {
  const all = new ArrivalGrid();
  for (let stream = 0; stream < 4; stream++) {
    const grid = new ArrivalGrid();
    for (let n = 0; n < 25; n++) grid.add(n, stream * 5 + n * 20 + (n === 12 ? stream : 0), n === 0);
    all.take(grid);
  }
  t.match(all.summary(), { frames: 100, p50: 0, max: 3, segments: 4 });
});

t.test('histograms that crossed to another process merge to the same percentiles', LIMIT, async (t) => {
  const property = fc.property(ticks, ticks, (some, others) => {
    const all = new ArrivalGrid();
    const merged = new ArrivalGrid();
    for (const each of [some, others]) {
      const grid = new ArrivalGrid();
      for (const [n, tick] of each.entries()) grid.add(n, n * 20 + tick / 20, n === 0);
      all.take(grid);
      merged.takeHistogram(JSON.parse(JSON.stringify(grid.histogram())) as LatenessHistogram);
    }
    const { segments, ...expected } = all.summary();
    const { segments: none, ...got } = merged.summary();
    return segments === 2 && none === 0 && JSON.stringify(got) === JSON.stringify(expected);
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 100 }));
});

const strays = fc.array(fc.nat({ max: 0xffff_ffff }), { maxLength: 40 });
const firstNonce = fc.nat({ max: 0xffff_ff00 });

t.test('a nonce is found again wherever it was used, in either byte order', LIMIT, async (t) => {
  const swapped = (value: number) => Buffer.from(Uint32Array.of(value).buffer).readUInt32BE(0);
  for (const order of [(value: number) => value, swapped]) {
    const property = fc.property(strays, firstNonce, (others, first) => {
      const counted = Array.from({ length: 40 }, (_, n) => first + n);
      const suffixes = [...counted, ...others, ...counted].map((value) => order(value >>> 0));
      const ledger = new NonceLedger();
      return suffixes.every((suffix, n) => ledger.note(suffix) === suffixes.slice(0, n).includes(suffix));
    });
    t.doesNotThrow(() => fc.assert(property, { numRuns: 100 }));
  }
});

t.test('the very first nonce counts too', LIMIT, async (t) => {
  const ledger = new NonceLedger();
  t.same([ledger.note(7), ledger.note(7)], [false, true]);
});
