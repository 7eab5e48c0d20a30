// Our own reading of Opus in Ogg beside mediabunny's, on files that FFmpeg has made: the same packets at the same
// times, pre-skip included in ours.
import t, { type Test } from 'tap';
import { OggOpusContainer } from '../../src/audio/ogg-opus.js';
import { ffmpegMake } from '../support/ffmpeg-make.js';
import { withoutFfmpeg } from '../support/ffmpeg.js';
import { fixture } from '../support/fixtures.js';
import { libraryPackets } from '../support/library-packets.js';
import { multitone } from '../support/signal.js';
import { MemoryBytes } from './memory-bytes.js';
import { open, packetsOf } from './play.js';

const LIMIT = { timeout: 60_000 };
/** The library's times pile up at 0 before that. */
const PILE = 0.13;

for (const name of ['oggOpus', 'oggOpusMono'] as const) {
  t.test(`${name}: the library's packets at the library's times`, LIMIT, (t) =>
    same(t, fixture(name, 7).bytes),
  );
}

const DURATIONS = ['2.5', '5', '10', '20', '40', '60'];
const PAGES = ['1', '20000', '1000000', '5000000'];

t.test('every length of frame and page', { ...LIMIT, skip: withoutFfmpeg() }, async (t) => {
  for (const [n, duration] of DURATIONS.entries()) {
    const frame = ['-frame_duration', duration, '-application', n % 2 === 0 ? 'audio' : 'lowdelay'];
    const page = ['-page_duration', PAGES[n % PAGES.length]!];
    const rate = ['-b:a', ['24k', '96k', '256k'][n % 3]!, '-ac', n % 4 === 3 ? '1' : '2'];
    await same(t, await ffmpegMake(multitone(3), ['-c:a', 'libopus', ...frame, ...page, ...rate], 'opus'));
  }
  for (const page of PAGES)
    await same(t, await ffmpegMake(multitone(12), ['-c:a', 'libopus', '-page_duration', page], 'opus'));
});

t.test('six channels go to the library', { ...LIMIT, skip: withoutFfmpeg() }, async (t) => {
  const bytes = await ffmpegMake(multitone(2), ['-c:a', 'libopus', '-ac', '6'], 'opus');
  const container = await open(new MemoryBytes(bytes));
  t.notOk(container instanceof OggOpusContainer);
  const [ours, theirs] = [await packetsOf(container), await libraryPackets(bytes)];
  t.strictSame(
    ours.map(({ data }) => Buffer.from(data)),
    theirs.map(({ data }) => data),
  );
});

async function same(t: Test, bytes: Buffer): Promise<void> {
  const container = await open(new MemoryBytes(bytes));
  t.ok(container instanceof OggOpusContainer);
  const [ours, theirs] = [await packetsOf(container), await libraryPackets(bytes)];
  t.equal(ours.length, theirs.length, 'as many');
  t.ok(
    theirs.every(({ data }, n) => data.equals(ours[n]!.data)),
    'byte for byte',
  );
  const head = container.info.format.description!;
  const preSkip = (head[10]! | (head[11]! << 8)) / 48_000;
  // The last page says that less of its last packet is heard.
  const off = theirs
    .slice(0, -1)
    .filter(({ time }, n) => time > PILE && Math.abs(ours[n]!.time - preSkip - time) > 1e-6);
  t.equal(off.length, 0, `${off.length} times differ`);
}
