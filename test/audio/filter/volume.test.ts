// Both volume curves against values that Lavalink's own classes gave (lavalink-v4.md §4.4 and §4.5).
import t from 'tap';
import { filterGain, openGain, openVolumeFilter, playerGain } from '../../../src/audio/filter/volume.js';

const LIMIT = { timeout: 10_000 };

t.test('the player volume has the golden multipliers', LIMIT, async (t) => {
  const golden = {
    0: 0,
    1: 79,
    10: 791,
    25: 2_001,
    50: 4_169,
    75: 6_731,
    99: 9_934,
    100: 10_000,
    101: 10_253,
    125: 15_154,
    150: 24_621,
    200: 32_828,
    500: 82_070,
    1000: 164_140,
  };
  for (const [volume, multiplier] of Object.entries(golden)) {
    t.equal(Math.round(playerGain(Number(volume)) * 10_000), multiplier, `volume ${volume}`);
  }
  t.equal(playerGain(100), 1);
  t.equal(playerGain(5_000), playerGain(1_000));
  t.equal(playerGain(-1), 0);
});

t.test('filters.volume gives the golden samples', LIMIT, async (t) => {
  const golden: [number, [number, number, number][]][] = [
    [
      0.5,
      [
        [0, 0, 0.10422797],
        [1, 0.011999562, 0.10333628],
        [100, -0.10422797, 0.09026406],
        [5_000, -0.18052812, 0.052113984],
      ],
    ],
    [
      2,
      [
        [0, 0, 0.8204],
        [1, 0.094451055, 0.8133814],
        [100, -0.8204, 0.7104872],
        [5_000, -1, 0.4102],
      ],
    ],
  ];
  for (const [volume, rows] of golden) {
    const pcm = goldenInput();
    openVolumeFilter(volume)?.process(pcm, 0, pcm.length / 2);
    for (const [n, left, right] of rows) {
      t.ok(Math.abs((pcm[n * 2] ?? 9) - left) < 1e-5, `left ${n} at ${volume}: ${pcm[n * 2]}`);
      t.ok(Math.abs((pcm[n * 2 + 1] ?? 9) - right) < 1e-5, `right ${n} at ${volume}: ${pcm[n * 2 + 1]}`);
    }
  }
});

t.test(
  'a filter volume of nearly 1 is no filter, and one that cannot be fails the track',
  LIMIT,
  async (t) => {
    for (const volume of [1, 0.99, 1.019]) t.equal(openVolumeFilter(volume), null);
    for (const volume of [0, 0.97, 1.03, 5]) t.not(openVolumeFilter(volume), null);
    for (const volume of [-0.1, 5.1, Number.NaN, Number.POSITIVE_INFINITY]) {
      t.throws(() => openVolumeFilter(volume), { code: 'PUM_DECODE_FAILED' });
    }
    t.ok(filterGain(0.5) < 0.5, 'the curve is not linear');
  },
);

t.test('loud samples are clamped and never wrap round', LIMIT, async (t) => {
  const pcm = Float32Array.of(0.9, -0.9, 0.01, -0.01);
  openGain(playerGain(1_000))?.process(pcm, 0, 2);
  t.equal(pcm[0], 1);
  t.equal(pcm[1], -1);
  t.ok(Math.abs((pcm[2] ?? 0) - 0.16414) < 1e-6);
});

t.test('samples outside the range given are left alone', LIMIT, async (t) => {
  const pcm = new Float32Array(8).fill(0.5);
  openGain(0.5)?.process(pcm, 1, 2);
  t.strictSame([...pcm], [0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.5, 0.5]);
});

/** The input of §4.5: 440 Hz at 0.5 left, 1 kHz at 0.25 right. */
function goldenInput(): Float32Array {
  const pcm = new Float32Array(6_000 * 2);
  for (let n = 0; n < 6_000; n++) {
    pcm[n * 2] = 0.5 * Math.sin((2 * Math.PI * 440 * n) / 48_000);
    pcm[n * 2 + 1] = 0.25 * Math.cos((2 * Math.PI * 1_000 * n) / 48_000);
  }
  return pcm;
}
