// Every format, from an HTTP origin through the whole server to what the voice server decrypted: the very same
// packets where they pass through, else compared with what ffmpeg makes of the file.
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny';
import t from 'tap';
import type { ReceivedFrame } from '../support/fake-voice.js';
import { ffmpegDecode, withoutFfmpeg } from '../support/ffmpeg.js';
import { fixture, type FixtureName } from '../support/fixtures.js';
import { compare, cut, decodeFrames, faults, referenceSnr } from '../support/measure.js';
import { PlayerEvents } from '../support/player-events.js';
import type { Pcm } from '../support/signal.js';
import { bot, stage } from '../support/stage.js';

const SECONDS = 4;
const BITRATE = 128_000;

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
const MONO: readonly FixtureName[] = ['wavMono', 'mp3Mono', 'oggOpusMono'];

const guildOf = (name: FixtureName): string => {
  const at = [...PASSED_THROUGH, ...ENCODED].indexOf(name as (typeof ENCODED)[number]);
  return `3000000000000000${String(10 + at)}`;
};

const heard = new Map<FixtureName, readonly Buffer[]>();

t.test('every format plays to its end without a missing packet', { timeout: 120_000 }, async (t) => {
  const house = await stage(t);
  const shoukaku = await bot(t, house);
  const names: readonly FixtureName[] = [...PASSED_THROUGH, ...ENCODED];
  // A few at a time: what is measured is the sound, not the machine.
  for (let at = 0; at < names.length; at += 5) {
    await Promise.all(names.slice(at, at + 5).map(play));
  }

  async function play(name: FixtureName): Promise<void> {
    const guild = guildOf(name);
    const { bytes, contentType, extension } = fixture(name, SECONDS);
    const path = `/${name}.${extension}`;
    house.origin.file(path, { body: bytes, contentType });
    const encoded = await shoukaku.load(house.origin.url(path));
    const player = await shoukaku.join(guild);
    const events = new PlayerEvents(player);
    await player.playTrack({ track: { encoded } });
    const end = await events.wait('end', 1, 30_000);
    await house.voice.waitForSilence(guild);
    t.match(end.data, { reason: 'finished' }, name);
    t.same(events.names, ['start', 'end'], name);
    const report = house.voice.report(guild);
    t.same(report?.violations, [], `${name}: sequence, timestamps, nonces, authentication`);
    t.match(report, { missing: 0, timestampFaults: 0, timestampJumps: 0, bad: 0 }, name);
    heard.set(name, house.voice.frames(guild).filter(isSound).map(bytesOf));
  }
});

for (const name of PASSED_THROUGH) {
  t.test(
    `${name}: the listener gets the very packets of the file, in order`,
    { timeout: 20_000 },
    async (t) => {
      const packets = await packetsOf(fixture(name, SECONDS).bytes);
      const frames = heard.get(name) ?? [];
      t.equal(frames.length, packets.length);
      t.ok(
        frames.every((frame, at) => frame.equals(packets[at] ?? Buffer.alloc(0))),
        'byte for byte',
      );
    },
  );
}

for (const name of ENCODED) {
  const skip = withoutFfmpeg();
  t.test(
    `${name}: sounds as ffmpeg decodes it, less what Opus takes`,
    { timeout: 30_000, skip },
    async (t) => {
      const source = await ffmpegDecode(fixture(name, SECONDS).bytes, {
        mono: MONO.includes(name),
        trimmed: name.startsWith('m4a'),
      });
      const sound = decodeFrames(heard.get(name) ?? []);
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

function isSound(frame: ReceivedFrame): boolean {
  return !frame.silence;
}

function bytesOf(frame: ReceivedFrame): Buffer {
  if (!frame.opus) throw new Error('a frame that nobody could decrypt');
  return frame.opus;
}

/** Opus packets of an Ogg or WebM file, read by mediabunny alone. */
async function packetsOf(bytes: Uint8Array): Promise<Buffer[]> {
  const input = new Input({ source: new BufferSource(bytes), formats: ALL_FORMATS });
  const track = await input.getPrimaryAudioTrack();
  if (!track) throw new Error('no audio in the fixture');
  const packets: Buffer[] = [];
  for await (const packet of new EncodedPacketSink(track).packets()) packets.push(Buffer.from(packet.data));
  return packets;
}
