// The measuring tools themselves: what they must notice, they notice; and the fixtures are what they claim.
import t from 'tap';
import { encodeDirectly, compare, cut, decodeFrames, faults, referenceSnr } from '../support/measure.js';
import type { Pcm } from '../support/signal.js';
import { clickPositions, multitone, silence, sweep, tunePcm } from '../support/signal.js';

const LIMIT = { timeout: 20_000 };
const SOURCE = multitone(3);
const EXPECTED = { offset: 312, snrDb: referenceSnr(SOURCE, 128_000) - 1 };

function judge(heard: Pcm): string[] {
  return faults(compare(heard, SOURCE, { near: 312 }), EXPECTED);
}

t.test('plain libopus passes its own reference', LIMIT, async (t) => {
  const heard = decodeFrames(encodeDirectly(SOURCE, 128_000));
  t.strictSame(judge(heard), []);
  t.equal(compare(heard, SOURCE).offset, 312, 'the look-ahead of the encoder is 312 samples');
  t.ok(EXPECTED.snrDb > 20);
});

t.test('swapped channels are noticed', LIMIT, async (t) => {
  const { rate, channels } = decodeFrames(encodeDirectly(SOURCE, 128_000));
  t.ok(judge({ rate, channels: [...channels].reverse() }).some((fault) => fault.includes('swapped')));
});

t.test('one dropped frame is noticed', LIMIT, async (t) => {
  const frames = encodeDirectly(SOURCE, 128_000);
  const wrong = judge(decodeFrames(frames.filter((_, n) => n !== 70)));
  t.ok(wrong.some((fault) => fault.includes('clicks')) && wrong.some((fault) => fault.includes('SNR')));
});

t.test('1 dB of gain is noticed', LIMIT, async (t) => {
  const { rate, channels } = decodeFrames(encodeDirectly(SOURCE, 128_000));
  const louder = {
    rate,
    channels: channels.map((channel) => channel.map((sample) => sample * 10 ** (1 / 20))),
  };
  const wrong = judge(louder);
  t.ok(wrong.some((fault) => fault.includes('louder')) && wrong.some((fault) => fault.includes('SNR')));
});

t.test('a shift of two samples is noticed', LIMIT, async (t) => {
  t.ok(
    judge(cut(decodeFrames(encodeDirectly(SOURCE, 128_000)), 2, 140_000)).some((fault) =>
      fault.includes('offset'),
    ),
  );
});

t.test('the signals are what they say', LIMIT, async (t) => {
  const [left, right] = SOURCE.channels;
  t.equal(left?.length, 144_000);
  t.ok(
    left?.some((sample, i) => Math.abs(sample - (right?.[i] ?? 0)) > 0.1),
    'left and right differ',
  );
  for (const pcm of [SOURCE, sweep(1), tunePcm(2)]) {
    for (const channel of pcm.channels) t.ok(channel.every((sample) => Math.abs(sample) < 1));
  }
  t.ok(silence(1).channels.every((channel) => channel.every((sample) => sample === 0)));
  const gaps = clickPositions(4, 48_000).map((at, n, all) => at - (all[n - 1] ?? 0));
  t.ok(new Set(gaps).size > 3, 'clicks at irregular places');
});
