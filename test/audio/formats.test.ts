// One contract for every format: what goes in as a file comes out as sound, from the start and from a seek,
// however the bytes arrive. Called once per format, so that a new one is one row.
import t from 'tap';
import type { ContainerInfo } from '../../src/audio/container.js';
import type { FixtureName } from '../support/fixtures.js';
import { fixture, FIXTURE_ARTIST, FIXTURE_ISRC, FIXTURE_TITLE } from '../support/fixtures.js';
import { compare, decodeFrames, faults } from '../support/measure.js';
import type { Pcm } from '../support/signal.js';
import { multitone } from '../support/signal.js';
import { MemoryBytes } from './memory-bytes.js';
import { open, packetsOf, play } from './play.js';

interface Contract {
  readonly probe: ContainerInfo['probe'];
  readonly codec: ContainerInfo['format']['codec'];
  /** Samples at 48 kHz by which the format itself makes the sound later: codec delay that stays in. */
  readonly delay: number;
  /** dB that this codec at the fixture's bit rate reaches, less 1.5; Opus on top included. */
  readonly snrDb: number;
  /** Milliseconds the container says, or null. */
  readonly durationMs: number | null;
  readonly tags: { title: boolean; isrc: boolean };
  /** Whether a source without a size and without seeking can be played. */
  readonly streams?: boolean;
}

const SECONDS = 4;
const SEEK = 1.234;

const TAGGED = { title: true, isrc: true };
const PLAIN = { title: false, isrc: false };

/** LAME's and the decoder's delay, 1,105 samples at the file's rate, are part of an MP3's timeline. */
const mp3Delay = (rate: number): number => Math.round((1_105 * 48_000) / rate);

const CONTRACTS: Record<FixtureName, Contract> = {
  wav: { probe: 'wav', codec: 'pcm-s16', delay: 0, snrDb: 29, durationMs: 4_000, tags: PLAIN },
  wav24: { probe: 'wav', codec: 'pcm-s24', delay: 0, snrDb: 29, durationMs: 4_000, tags: PLAIN },
  wavFloat: { probe: 'wav', codec: 'pcm-f32', delay: 0, snrDb: 29, durationMs: 4_000, tags: PLAIN },
  wavMono: { probe: 'wav', codec: 'pcm-s16', delay: 0, snrDb: 25.5, durationMs: 4_000, tags: PLAIN },
  mp3: { probe: 'mp3', codec: 'mp3', delay: mp3Delay(44_100), snrDb: 21.5, durationMs: 4_049, tags: TAGGED },
  mp3Mono: {
    probe: 'mp3',
    codec: 'mp3',
    delay: mp3Delay(22_050),
    snrDb: 18.5,
    durationMs: 4_075,
    tags: TAGGED,
  },
  mp3Vbr: { probe: 'mp3', codec: 'mp3', delay: mp3Delay(44_100), snrDb: 22, durationMs: 4_049, tags: TAGGED },
  flac: { probe: 'flac', codec: 'flac', delay: 0, snrDb: 29, durationMs: 4_000, tags: TAGGED },
  // The raw decoder timeline: pre-skip is not taken off, as a listener of passed-through packets has it.
  oggOpus: { probe: 'ogg', codec: 'opus', delay: 312, snrDb: 27, durationMs: 4_000, tags: TAGGED },
  oggOpusMono: { probe: 'ogg', codec: 'opus', delay: 312, snrDb: 29, durationMs: 4_000, tags: TAGGED },
  oggVorbis: { probe: 'ogg', codec: 'vorbis', delay: 0, snrDb: 28, durationMs: 4_000, tags: TAGGED },
  webmOpus: { probe: 'matroska/webm', codec: 'opus', delay: 312, snrDb: 27, durationMs: 4_008, tags: TAGGED },
  // The muxer moves everything by 3 ms, so that no time is negative.
  webmVorbis: {
    probe: 'matroska/webm',
    codec: 'vorbis',
    delay: 144,
    snrDb: 27.5,
    durationMs: 4_003,
    tags: TAGGED,
  },
  m4a: {
    probe: 'mp4',
    codec: 'aac',
    delay: 0,
    snrDb: 28,
    durationMs: 4_000,
    tags: { title: true, isrc: false },
  },
  m4a48: {
    probe: 'mp4',
    codec: 'aac',
    delay: 0,
    snrDb: 28,
    durationMs: 4_000,
    tags: { title: true, isrc: false },
  },
  // ADTS has no place for the encoder's 1,024 samples of priming.
  adts: { probe: 'adts', codec: 'aac', delay: 1_115, snrDb: 19, durationMs: null, tags: PLAIN },
};

for (const [name, contract] of Object.entries(CONTRACTS) as [FixtureName, Contract][]) {
  t.test(name, { timeout: 30_000 }, async (t) => {
    const file = fixture(name, SECONDS);
    const source = heardFrom(SECONDS, file.source.channels.length);
    const expected = { offset: contract.delay, snrDb: contract.snrDb };

    await t.test('says what it is', async (t) => {
      const bytes = new MemoryBytes(file.bytes);
      const { info } = await open(bytes);
      t.equal(info.probe, contract.probe);
      t.equal(info.format.codec, contract.codec);
      t.equal(info.format.sampleRate, file.source.rate);
      t.equal(info.format.channels, file.source.channels.length);
      t.equal(info.durationMs, contract.durationMs);
      t.equal(info.title, contract.tags.title ? FIXTURE_TITLE : null);
      t.equal(info.artist, contract.tags.title ? FIXTURE_ARTIST : null);
      t.equal(info.isrc, contract.tags.isrc ? FIXTURE_ISRC : null);
    });

    await t.test('plays from the start, sample for sample', async (t) => {
      const { frames, times, bad } = await play(await open(new MemoryBytes(file.bytes)));
      const found = compare(decodeFrames(frames), source, { near: contract.delay, search: 960 });
      t.strictSame(faults(found, expected), []);
      t.equal(bad, 0);
      t.equal(times[0], 0);
      t.ok(Math.abs(frames.length - SECONDS * 50) <= 5, 'as long as the source');
    });

    await t.test('plays from a seek point, sample for sample', async (t) => {
      const { frames, times } = await play(await open(new MemoryBytes(file.bytes)), SEEK);
      const offset = contract.delay - SEEK * 48_000;
      const found = compare(decodeFrames(frames), source, { near: offset, search: 960 });
      t.strictSame(faults(found, { ...expected, offset }), []);
      t.equal(times[0], SEEK);
      t.ok(Math.abs((times[10] ?? 0) - SEEK - 0.2) < 1e-9, 'a frame is 20 ms of source time');
    });

    await t.test('seeks backwards and forwards in one container', async (t) => {
      const container = await open(new MemoryBytes(file.bytes));
      const all = await packetsOf(container, 0);
      for (const from of [3.1, 0.5, 2.2, 0]) {
        const [first] = await packetsOf(container, from);
        const index = all.findIndex((packet) => packet.time === first?.time && same(packet.data, first.data));
        // Rounded times and packets without sound of their own allow two packets more than needed, none less.
        const needed = all.filter((packet) => packet.time <= from + 1e-6).length - 1;
        t.ok(
          index >= 0 && index <= Math.max(0, needed) && index >= needed - 2,
          `${index} of ${needed} at ${from}`,
        );
      }
    });

    await t.test('gives the same packets however the bytes arrive', async (t) => {
      const packets = await packetsOf(await open(new MemoryBytes(file.bytes)));
      const ways = {
        'in pieces of 1 to 97 bytes': { pieces: (n: number) => 1 + ((n * 31) % 97) },
        'without a size or a way back': { live: true, pieces: () => 700 },
        'with a size and no way back': { forwardOnly: true },
      };
      for (const [way, options] of Object.entries(ways)) {
        // An index at the end of the file cannot be reached without going back further than is kept.
        if (contract.probe === 'mp4' && !('pieces' in options && !('live' in options))) continue;
        const again = await packetsOf(await open(new MemoryBytes(file.bytes, options)));
        t.equal(again.length, packets.length, way);
        t.ok(
          again.every((packet, i) => same(packet.data, packets[i]?.data)),
          way,
        );
      }
    });

    await t.test('plays to the cut when it is truncated', async (t) => {
      // The index of this fixture's MP4 lies at the end, so that half a file is none.
      if (contract.probe === 'mp4') {
        await t.rejects(open(new MemoryBytes(file.bytes.subarray(0, file.bytes.length / 2))), {
          code: 'PUM_FORMAT_BROKEN',
        });
        return;
      }
      // Long enough for several clusters and pages, which come whole or not at all.
      const long = fixture(name, 12);
      const half = long.bytes.subarray(0, Math.floor(long.bytes.length / 2));
      const { frames } = await play(await open(new MemoryBytes(half)));
      t.ok(frames.length > 225 && frames.length < 320, `${frames.length} frames`);
      const tones = heardFrom(12, file.source.channels.length);
      const found = compare(decodeFrames(frames), tones, { near: contract.delay, search: 960, margin: 0.2 });
      t.strictSame(faults(found, expected), []);
    });
  });
}

/** A multitone at 48 kHz as a listener gets it: mono on both sides. */
function heardFrom(seconds: number, channels: number): Pcm {
  const pcm = multitone(seconds, 48_000, channels);
  return { ...pcm, channels: [...pcm.channels, ...pcm.channels].slice(0, 2) };
}

function same(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && Buffer.compare(a, b) === 0;
}
