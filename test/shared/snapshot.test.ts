// Claims about the one form in which a player is carried over (architecture §8, seam 3).
import fc from 'fast-check';
import t from 'tap';
import { DISPATCH } from '../../src/shared/limits.js';
import { decodeSnapshot, encodeSnapshot, type PlayerSnapshot } from '../../src/shared/snapshot.js';

const whole = fc.nat();
const track = fc.record({
  token: fc.string(),
  userData: fc.json(),
  position: fc.record({ sourceMs: whole, ageMs: fc.double({ min: 0, max: 1e9, noNaN: true }) }),
  endTimeMs: fc.option(whole),
  instance: whole,
});
const snapshots: fc.Arbitrary<PlayerSnapshot> = fc.record({
  v: fc.integer({ min: 1, max: 9 }),
  guild: fc.string(),
  track: fc.option(track),
  paused: fc.boolean(),
  volume: fc.integer({ min: 0, max: 1_000 }),
  filters: fc.dictionary(fc.string(), fc.integer()),
  instance: whole,
  seq: whole,
  sent: fc.record({ start: whole, exception: whole, stuck: whole, end: whole }),
  voice: fc.option(
    fc.record({ token: fc.string(), endpoint: fc.string(), sessionId: fc.string(), channelId: fc.string() }),
  ),
  unknown: fc.dictionary(
    fc.string().map((name) => `later ${name}`),
    fc.jsonValue().filter((value) => !Object.is(value, -0) && !JSON.stringify(value).includes('-0')),
  ),
});

t.test('a snapshot comes back as it was, fields of a later version included', { timeout: 10_000 }, (t) => {
  fc.assert(
    fc.property(snapshots, (snapshot) => {
      const back = decodeSnapshot(encodeSnapshot(snapshot));
      t.strictSame(JSON.parse(JSON.stringify(back)), JSON.parse(JSON.stringify(snapshot)));
      t.equal(encodeSnapshot(back), encodeSnapshot(snapshot));
    }),
    { numRuns: 200 },
  );
  t.end();
});

t.test('any text is a snapshot or a coded error', { timeout: 10_000 }, (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      t.throws(() => decodeSnapshot(text), { code: 'PUM_SNAPSHOT_INVALID' });
    }),
    { numRuns: 200 },
  );
  t.end();
});

t.test('a snapshot above the ceiling is refused on both ways', { timeout: 10_000 }, (t) => {
  const [example] = fc.sample(snapshots, { numRuns: 1, seed: 1 });
  if (example === undefined) throw new Error('no example');
  const large = { ...example, guild: 'x'.repeat(DISPATCH.maxSnapshotBytes) };
  t.throws(() => encodeSnapshot(large), { code: 'PUM_SNAPSHOT_TOO_LARGE' });
  t.throws(() => decodeSnapshot(JSON.stringify(large)), { code: 'PUM_SNAPSHOT_TOO_LARGE' });
  t.end();
});
