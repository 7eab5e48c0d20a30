// The three resampler designs: time-exact, and better from LOW to HIGH.
import t from 'tap';
import type { ResamplingQuality } from '../../src/audio/resample.js';
import { openResampler } from '../../src/audio/resample.js';

const LIMIT = { timeout: 20_000 };
const QUALITIES: ResamplingQuality[] = ['LOW', 'MEDIUM', 'HIGH'];

/** A tone through the resampler in uneven pieces, left channel. */
function through(rate: number, hertz: number, quality: ResamplingQuality, seconds = 1): number[] {
  const resampler = openResampler(rate, quality);
  const out: number[] = [];
  const take = (samples: number): void => {
    for (let i = 0; i < samples; i++) out.push(resampler.pcm[i * 2] ?? 0);
  };
  const length = Math.round(seconds * rate);
  for (let at = 0, n = 0; at < length; n++) {
    const count = Math.min(length - at, 100 + ((n * 397) % 1_500));
    const pcm = new Float32Array((count + 3) * 2);
    for (let i = 0; i < count; i++) {
      const sample = 0.5 * Math.sin((2 * Math.PI * hertz * (at + i)) / rate);
      pcm[(i + 3) * 2] = sample;
      pcm[(i + 3) * 2 + 1] = -sample;
    }
    take(resampler.convert(pcm, 3, count));
    at += count;
  }
  take(resampler.drain());
  resampler.close();
  resampler.close();
  return out;
}

/** dB of what is not the tone, in the middle of the output. */
function noise(out: readonly number[], hertz: number): number {
  let [difference, power] = [0, 0];
  for (let i = 2_000; i < out.length - 2_000; i++) {
    const ideal = 0.5 * Math.sin((2 * Math.PI * hertz * i) / 48_000);
    difference += ((out[i] ?? 0) - ideal) ** 2;
    power += ideal * ideal;
  }
  return 10 * Math.log10(difference / power);
}

t.test('output sample n is the sound at n / 48,000 s, at every rate and quality', LIMIT, async (t) => {
  for (const rate of [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 88_200, 96_000, 192_000, 44_101]) {
    for (const quality of QUALITIES) {
      const out = through(rate, 997, quality, 0.5);
      t.ok(Math.abs(out.length - 24_000) <= 4, `${out.length} samples from ${rate} Hz`);
      const level = noise(out, 997);
      t.ok(level < -55, `${level.toFixed(1)} dB at ${rate} Hz, ${quality}`);
    }
  }
});

t.test('a better quality leaves less of what folds over', LIMIT, async (t) => {
  // 23.4 kHz does not fit 44.1 kHz sources; 96 kHz ones hold it and 25.5 kHz folds onto 22.5 kHz.
  const residue = QUALITIES.map((quality) => {
    const out = through(96_000, 25_500, quality);
    const middle = out.slice(2_000, -2_000);
    return 10 * Math.log10(middle.reduce((sum, sample) => sum + sample * sample, 0) / middle.length + 1e-20);
  });
  const pass = QUALITIES.map((quality) => noise(through(44_100, 19_000, quality), 19_000));
  t.ok(
    (residue[0] ?? 0) > (residue[1] ?? 0) && (residue[1] ?? 0) > (residue[2] ?? 0),
    `alias ${residue.map((x) => x.toFixed(1)).join(', ')} dB`,
  );
  t.ok(
    (pass[0] ?? 0) >= (pass[1] ?? 0) && (pass[1] ?? 0) >= (pass[2] ?? 0),
    `19 kHz ${pass.map((x) => x.toFixed(1)).join(', ')} dB`,
  );
});
