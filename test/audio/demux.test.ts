// What strangers send: no audio at all, damaged files, covers of megabytes, far ends that stall or fail.
// Every answer is a code of ours, and every wait ends.
import * as fc from 'fast-check';
import t from 'tap';
import { ServerError } from '../../src/shared/errors.js';
import { SOURCE } from '../../src/shared/limits.js';
import type { FixtureName } from '../support/fixtures.js';
import { fixture, FIXTURE_NAMES, FIXTURE_TITLE } from '../support/fixtures.js';
import { multitone } from '../support/signal.js';
import { wavFile } from '../support/fixtures.js';
import { MemoryBytes } from './memory-bytes.js';
import { open, packetsOf, run } from './play.js';

const LIMIT = { timeout: 20_000 };
const ALLOWED = new Set(['PUM_FORMAT_UNKNOWN', 'PUM_FORMAT_UNSUPPORTED', 'PUM_FORMAT_BROKEN']);

t.test('what is no audio is unknown, and little of it is read', LIMIT, async (t) => {
  const page = Buffer.from(
    `<!doctype html><html><head><title>404</title></head>${'<p>Not here.</p>'.repeat(200_000)}</html>`,
  );
  const texts = [
    page,
    Buffer.alloc(0),
    Buffer.from('a'),
    Buffer.alloc(2_000_000),
    Buffer.from('{"error":true}'),
  ];
  for (const bytes of texts) {
    const source = new MemoryBytes(bytes);
    await t.rejects(open(source), { code: 'PUM_FORMAT_UNKNOWN' });
    t.ok(source.fetched <= 64 * 1_024, `${source.fetched} bytes read`);
    t.ok(source.closed, 'the source is closed');
  }
});

t.test('a probe that finds nothing for long gives up', LIMIT, async (t) => {
  // A tag that claims 200 MB lies in front of the sound, on a far end that cannot skip.
  const head = Uint8Array.of(0x49, 0x44, 0x33, 3, 0, 0, 0x60, 0, 0, 0);
  const source = new MemoryBytes(Buffer.concat([head, Buffer.alloc(3_000_000)]), { live: true });
  await t.rejects(open(source), { code: 'PUM_FORMAT_UNKNOWN' });
  t.ok(source.fetched <= SOURCE.maxProbe, `${source.fetched} bytes`);
});

t.test('a cover of megabytes in front of an MP3 is stepped over', LIMIT, async (t) => {
  const { bytes } = fixture('mp3');
  const size = 5_000_000;
  const cover = Buffer.alloc(size + 10);
  cover.write('APIC', 0, 'latin1');
  cover.writeUInt32BE(size, 4);
  const title = Buffer.from('TIT2\0\0\0\x06\0\0\0Cover', 'latin1');
  const total = cover.length + title.length;
  const head = Buffer.from([
    0x49,
    0x44,
    0x33,
    3,
    0,
    0,
    (total >> 21) & 127,
    (total >> 14) & 127,
    (total >> 7) & 127,
    total & 127,
  ]);
  const source = new MemoryBytes(Buffer.concat([head, cover, title, bytes]));
  const container = await open(source);
  t.equal(container.info.title, 'Cover');
  t.ok(source.fetched < 100_000, `${source.fetched} bytes read`);
  t.equal((await packetsOf(container)).length, (await packetsOf(await open(new MemoryBytes(bytes)))).length);
});

t.test('a known container with a codec that is not ours is unsupported', LIMIT, async (t) => {
  const { bytes } = fixture('m4a', 2);
  const other = Buffer.from(bytes);
  for (let at = other.indexOf('mp4a'); at >= 0; at = other.indexOf('mp4a', at + 4))
    other.write('ac-3', at, 'latin1');
  await t.rejects(open(new MemoryBytes(other)), { code: 'PUM_FORMAT_UNSUPPORTED' });
});

t.test('WAV headers outside what can be played are refused', LIMIT, async (t) => {
  const good = wavFile(multitone(0.2));
  const rate = Buffer.from(good);
  rate.writeUInt32LE(400_000, 24);
  await t.rejects(open(new MemoryBytes(rate)), { code: 'PUM_FORMAT_BROKEN' });
  const channels = Buffer.from(good);
  channels.writeUInt16LE(17, 22);
  channels.writeUInt16LE(34, 32);
  await t.rejects(open(new MemoryBytes(channels)), { code: 'PUM_FORMAT_BROKEN' });
});

t.test(
  'the signal ends opening, seeking and reading, even when the far end never answers',
  LIMIT,
  async (t) => {
    const { bytes } = fixture('oggOpus');
    for (const stallAt of [0, 100, 30_000]) {
      const owner = new AbortController();
      const reason = new Error('the user left');
      const work = open(new MemoryBytes(bytes, { stallAt, forwardOnly: true }), owner.signal).then(packetsOf);
      setImmediate(() => {
        owner.abort(reason);
      });
      await t.rejects(work, reason);
    }
  },
);

t.test('what the far end rejects with comes through unchanged', LIMIT, async (t) => {
  for (const name of ['mp3', 'oggOpus', 'flac', 'webmOpus'] as const) {
    await t.rejects(open(new MemoryBytes(fixture(name).bytes, { failAt: 10 })), {
      code: 'PUM_SOURCE_BROKEN',
    });
    const { bytes } = fixture(name, 12);
    const source = new MemoryBytes(bytes, { forwardOnly: true, failAt: Math.floor(bytes.length * 0.7) });
    await t.rejects(open(source).then(packetsOf), { code: 'PUM_SOURCE_BROKEN' }, name);
  }
});

t.test('rubbish in the middle of an MP3 is stepped over', LIMIT, async (t) => {
  const { bytes } = fixture('mp3Vbr');
  const damaged = Buffer.concat([
    bytes.subarray(0, 20_000),
    Buffer.alloc(3_000, 0x55),
    bytes.subarray(20_000),
  ]);
  const whole = await packetsOf(await open(new MemoryBytes(bytes)));
  const rest = await packetsOf(await open(new MemoryBytes(damaged)));
  t.ok(Math.abs(rest.length - whole.length) <= 12, `${rest.length} of ${whole.length}`);
});

t.test('a long seek in an MP3 of constant bit rate reads no more than it needs', LIMIT, async (t) => {
  const { bytes } = fixture('mp3', 12);
  const source = new MemoryBytes(bytes);
  const container = await open(source);
  const before = source.fetched;
  const cursor = await container.packets(11);
  const packet = await cursor.next();
  t.ok(packet !== null && packet.time <= 11 && packet.time > 10.9);
  t.ok(source.fetched - before <= 64 * 1_024, `${source.fetched - before} of ${bytes.length} bytes`);
});

t.test('a radio is walked through without keeping its frames', LIMIT, async (t) => {
  const { bytes } = fixture('mp3', 4);
  const endless = Buffer.concat(Array.from({ length: 40 }, () => bytes.subarray(4_096)));
  const source = new MemoryBytes(Buffer.concat([bytes.subarray(0, 4_096), endless]), { live: true });
  const { info } = await open(source);
  t.equal(info.durationMs, null);
  const packets = await packetsOf(await open(new MemoryBytes(endless, { live: true })));
  t.ok(packets.length > 5_000);
});

t.test('random bytes behind any magic give a code of ours and an end', { timeout: 60_000 }, async () => {
  const magic = [
    'RIFF\0\0\0\0WAVE',
    '\x1a\x45\xdf\xa3',
    'fLaC',
    'OggS',
    '\0\0\0\x18ftypisom',
    'ID3\x03\0\0\0\0\0\x10',
    '\xff\xfb\x90\x64',
    '\xff\xf1\x50\x80',
    '',
    'junk',
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...magic),
      fc.uint8Array({ maxLength: 3_000 }),
      fc.boolean(),
      async (start, rest, live) => {
        await survive(Buffer.concat([Buffer.from(start, 'latin1'), rest]), live);
      },
    ),
    { numRuns: 300 },
  );
});

t.test('mutated real files give packets or a code of ours, and an end', { timeout: 60_000 }, async () => {
  const mutation = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<FixtureName>(...FIXTURE_NAMES),
      fc.array(mutation, { minLength: 1, maxLength: 12 }),
      fc.boolean(),
      async (name, mutations, inHead) => {
        const damaged = Buffer.from(fixture(name, 0.5).bytes);
        for (const { at, bytes } of mutations) {
          damaged.set(
            bytes.subarray(0, 1),
            Math.floor(at * (Math.min(damaged.length, inHead ? 600 : damaged.length) - 1)),
          );
        }
        await survive(damaged, false);
      },
    ),
    { numRuns: 300 },
  );
});

t.test('the title of the fixture survives every container that has one', LIMIT, async (t) => {
  for (const name of ['mp3', 'flac', 'oggOpus', 'webmOpus', 'm4a'] as const) {
    t.equal((await open(new MemoryBytes(fixture(name).bytes))).info.title, FIXTURE_TITLE, name);
  }
});

/** Opens, reads to the end within bounds, seeks once and decodes; throws what is not allowed. */
async function survive(bytes: Uint8Array, live: boolean): Promise<void> {
  try {
    const container = await open(new MemoryBytes(bytes, { live }));
    const cursor = await container.packets(0);
    const packets = [];
    for (let packet = await cursor.next(); packet !== null; packet = await cursor.next()) {
      packets.push({ ...packet, data: packet.data.slice() });
      if (packets.length > 5_000) throw new Error('there is no end to it');
    }
    try {
      run(container, packets.slice(0, 60), 0, { complexity: 0, resampling: 'LOW' });
    } catch (error) {
      // A codec's set-up bytes may be damaged as well.
      if (!(error instanceof ServerError) || error.code !== 'PUM_FORMAT_UNSUPPORTED') throw error;
    }
    if (!live) await (await container.packets(0.3)).next();
    container.close();
  } catch (error) {
    if (error instanceof ServerError && ALLOWED.has(error.code)) return;
    throw error;
  }
}
