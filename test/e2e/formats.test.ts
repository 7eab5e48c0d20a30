// Every format, from an HTTP origin through the whole server to what the voice server decrypted: the very same
// packets where they pass through, else compared with what ffmpeg makes of the file.
import t from 'tap';
import { ffmpegDecode, withoutFfmpeg } from '../support/ffmpeg.js';
import { encodeAs, fixture, type FixtureName } from '../support/fixtures.js';
import { compare, cut, decodeFrames, faults, referenceSnr } from '../support/measure.js';
import { packetsOf, soundOf } from '../support/opus-packets.js';
import { PlayerEvents } from '../support/player-events.js';
import { multitone, type Pcm } from '../support/signal.js';
import { bot, stage } from '../support/stage.js';

const SECONDS = 4;
const BITRATE = 128_000;
const AT_A_TIME = 7;

const PASSED_THROUGH = ['oggOpus', 'webmOpus'] as const;
const ENCODED = [
  'wav',
  'wav24',
  'wavFloat',
  'wavMono',
  'mp3',
  'mp3Mono',
  'mp3Vbr',
  'flac',
  'oggOpusMono',
  'oggVorbis',
  'm4a',
  'm4a48',
  'adts',
] as const;
/** The formats above in the other number of channels, and at other rates. */
const VARIED = [
  { name: 'flac', rate: 22_050, channels: 1 },
  { name: 'oggVorbis', rate: 44_100, channels: 1 },
  { name: 'oggVorbis', rate: 22_050, channels: 2 },
  { name: 'mp3Vbr', rate: 48_000, channels: 1 },
  { name: 'm4a', rate: 44_100, channels: 1 },
  { name: 'adts', rate: 22_050, channels: 1 },
] as const;

/** One file that is played. */
interface Piece {
  readonly title: string;
  readonly format: FixtureName;
  readonly mono: boolean;
  readonly bytes: Buffer;
}

const whole = (format: FixtureName): Piece => {
  const { bytes, source } = fixture(format, SECONDS);
  return { title: format, format, mono: source.channels.length === 1, bytes };
};

const passedThrough = PASSED_THROUGH.map(whole);
const encoded: readonly Piece[] = [
  ...ENCODED.map(whole),
  ...VARIED.map(({ name, rate, channels }) => ({
    title: `${name} ${channels === 1 ? 'mono' : 'stereo'} at ${String(rate)} Hz`,
    format: name,
    mono: channels === 1,
    bytes: encodeAs(name, multitone(SECONDS, rate, channels)),
  })),
];
const pieces = [...passedThrough, ...encoded];

/** The sound of each piece's guild. */
const heard = new Map<string, readonly Buffer[]>();

t.test('every format plays to its end without a missing packet', { timeout: 120_000 }, async (t) => {
  const house = await stage(t);
  const shoukaku = await bot(t, house);
  // A few at a time: what is measured is the sound, not the machine. On a busy one a slot may go by without a
  // frame (a jump of the timestamp); the frames themselves must all be there.
  for (let at = 0; at < pieces.length; at += AT_A_TIME) {
    await Promise.all(pieces.slice(at, at + AT_A_TIME).map((piece, n) => play(piece, at + n)));
  }

  async function play({ title, format, bytes }: Piece, number: number): Promise<void> {
    const guild = `3000000000000000${String(10 + number)}`;
    const { contentType, extension } = fixture(format, SECONDS);
    const path = `/${String(number)}.${extension}`;
    house.origin.file(path, { body: bytes, contentType });
    const track = await shoukaku.load(house.origin.url(path));
    const player = await shoukaku.join(guild);
    const events = new PlayerEvents(player);
    await player.playTrack({ track: { encoded: track } });
    const end = await events.wait('end', 1, 30_000);
    await house.voice.waitForSilence(guild);
    t.match(end.data, { reason: 'finished' }, title);
    t.same(events.names, ['start', 'end'], title);
    const report = house.voice.report(guild);
    t.same(report?.violations, [], `${title}: sequence, timestamps, nonces, authentication`);
    t.match(report, { missing: 0, timestampFaults: 0, bad: 0 }, title);
    heard.set(title, soundOf(house.voice.frames(guild)));
  }
});

for (const { title, bytes } of passedThrough) {
  t.test(
    `${title}: the listener gets the very packets of the file, in order`,
    { timeout: 20_000 },
    async (t) => {
      const packets = await packetsOf(bytes);
      const frames = heard.get(title) ?? [];
      t.equal(frames.length, packets.length);
      t.ok(
        frames.every((frame, at) => frame.equals(packets[at] ?? Buffer.alloc(0))),
        'byte for byte',
      );
    },
  );
}

for (const { title, format, mono, bytes } of encoded) {
  const skip = withoutFfmpeg();
  t.test(
    `${title}: sounds as ffmpeg decodes it, less what Opus takes`,
    { timeout: 30_000, skip },
    async (t) => {
      const source = await ffmpegDecode(bytes, {
        mono,
        trimmed: format.startsWith('m4a'),
      });
      const sound = decodeFrames(heard.get(title) ?? []);
      const found = compare(sound, source);
      const expected = { offset: 0, snrDb: referenceSnr(source, BITRATE) - 1 };
      t.same(faults(found, expected), [], JSON.stringify(found));
    },
  );
}

t.test(
  'a swapped channel, a dropped frame and 1 dB make the comparison fail',
  { timeout: 30_000 },
  async (t) => {
    const { source } = fixture('wav', SECONDS);
    const frames = heard.get('wav') ?? [];
    const sound = decodeFrames(frames);
    const [left, right] = sound.channels;
    if (!left || !right) throw new Error('nothing was heard');
    const expected = { offset: 0, snrDb: referenceSnr(source, BITRATE) - 1 };
    t.same(faults(compare(sound, source), expected), [], 'as it was heard it passes');
    const swapped: Pcm = { rate: 48_000, channels: [right, left] };
    t.ok(faults(compare(swapped, source), expected).length > 0, 'swapped');
    const dropped = decodeFrames(frames.filter((_, at) => at !== 100));
    t.ok(faults(compare(dropped, source), expected).length > 0, 'dropped');
    const gain = 10 ** (1 / 20);
    const louder: Pcm = { rate: 48_000, channels: sound.channels.map((side) => side.map((x) => x * gain)) };
    t.ok(faults(compare(louder, source), expected).length > 0, 'louder');
    const late = cut(sound, -2, left.length);
    t.ok(faults(compare(late, source), expected).length > 0, 'two samples late');
  },
);
