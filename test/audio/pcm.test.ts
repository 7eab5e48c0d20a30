// The PCM decoder, layout by layout, against values worked out by hand.
import t from 'tap';
import type { CodecName } from '../../src/audio/container.js';
import { openPcmDecoder } from '../../src/audio/pcm.js';

const LIMIT = { timeout: 10_000 };

function decode(codec: CodecName, channels: number, bytes: Uint8Array): number[] {
  const decoder = openPcmDecoder({ codec, channels, sampleRate: 48_000, description: null });
  const samples = decoder?.decode(bytes) ?? -2;
  return [...(decoder?.pcm.subarray(0, samples * 2) ?? [])];
}

t.test('every layout reads half of full scale as a half', LIMIT, async (t) => {
  const half: [CodecName, number[]][] = [
    ['pcm-u8', [192]],
    ['pcm-s16', [0, 0x40]],
    ['pcm-s16be', [0x40, 0]],
    ['pcm-s24', [0, 0, 0x40]],
    ['pcm-s24be', [0x40, 0, 0]],
    ['pcm-s32', [0, 0, 0, 0x40]],
    ['pcm-s32be', [0x40, 0, 0, 0]],
    ['pcm-f32', [0, 0, 0, 0x3f]],
    ['pcm-f32be', [0x3f, 0, 0, 0]],
    ['pcm-f64', [0, 0, 0, 0, 0, 0, 0xe0, 0x3f]],
    ['pcm-f64be', [0x3f, 0xe0, 0, 0, 0, 0, 0, 0]],
  ];
  for (const [codec, bytes] of half)
    t.strictSame(decode(codec, 1, Uint8Array.from(bytes)), [0.5, 0.5], codec);
});

t.test('negative and smallest values keep their sign', LIMIT, async (t) => {
  t.strictSame(decode('pcm-s24', 1, Uint8Array.of(0xff, 0xff, 0xff)), [-1 / 8_388_608, -1 / 8_388_608]);
  t.strictSame(decode('pcm-s24be', 1, Uint8Array.of(0x80, 0, 1)), [
    -8_388_607 / 8_388_608,
    -8_388_607 / 8_388_608,
  ]);
  t.strictSame(decode('pcm-s16', 2, Uint8Array.of(0, 0x80, 1, 0)), [-1, 1 / 32_768]);
});

t.test('the two telephone laws read their known points', LIMIT, async (t) => {
  // ITU-T G.711, tables 1 and 2: largest values and the smallest ones beside zero.
  t.strictSame(
    decode('ulaw', 1, Uint8Array.of(0x80, 0x00, 0xff, 0x7f))
      .filter((_, i) => i % 2 === 0)
      .map((x) => x * 32_768 + 0),
    [32_124, -32_124, 0, 0],
  );
  t.strictSame(
    decode('alaw', 1, Uint8Array.of(0xaa, 0x2a, 0xd5, 0x55))
      .filter((_, i) => i % 2 === 0)
      .map((x) => x * 32_768),
    [32_256, -32_256, 8, -8],
  );
});

t.test('of many channels the first two are heard', LIMIT, async (t) => {
  const bytes = new Uint8Array(new Int16Array([16_384, -16_384, 1, 2, 3, 4, 8_192, 0, 1, 2, 3, 4]).buffer);
  t.strictSame(decode('pcm-s16', 6, bytes), [0.5, -0.5, 0.25, 0]);
});

t.test('a cut sample is left out, and what is no number is silence', LIMIT, async (t) => {
  t.strictSame(decode('pcm-s16', 1, Uint8Array.of(0, 0x40, 9)), [0.5, 0.5]);
  t.strictSame(
    decode('pcm-f32', 1, new Uint8Array(new Float32Array([Number.NaN, Number.POSITIVE_INFINITY]).buffer)),
    [0, 0, 0, 0],
  );
  const decoder = openPcmDecoder({ codec: 'pcm-s16', channels: 2, sampleRate: 48_000, description: null });
  t.equal(decoder?.decode(Uint8Array.of(1, 2)), -1);
  t.equal(openPcmDecoder({ codec: 'mp3', channels: 2, sampleRate: 48_000, description: null }), null);
});
