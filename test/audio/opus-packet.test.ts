// Opus packet heads: the table of RFC 6716 §3.1, the pass-through rule, and every first bytes there are.
import * as fc from 'fast-check';
import t from 'tap';
import {
  frameCount,
  frameSamples,
  isPassThrough,
  isStereo,
  packetSamples,
  SILENCE_FRAME,
} from '../../src/audio/opus-packet.js';
import { fixture, tune } from '../support/fixtures.js';
import { MemoryBytes } from './memory-bytes.js';
import { open, packetsOf } from './play.js';

const LIMIT = { timeout: 10_000 };

t.test('frame sizes are those of the table in the RFC', LIMIT, async (t) => {
  const milliseconds = [
    ...[10, 20, 40, 60, 10, 20, 40, 60, 10, 20, 40, 60],
    ...[10, 20, 10, 20],
    ...[2.5, 5, 10, 20, 2.5, 5, 10, 20, 2.5, 5, 10, 20, 2.5, 5, 10, 20],
  ];
  t.strictSame(
    milliseconds.map((_, config) => frameSamples(Uint8Array.of(config << 3)) / 48),
    milliseconds,
  );
});

t.test('frame counts are those of the four codes', LIMIT, async (t) => {
  t.equal(frameCount(Uint8Array.of(0xf8)), 1);
  t.equal(frameCount(Uint8Array.of(0xf9)), 2);
  t.equal(frameCount(Uint8Array.of(0xfa)), 2);
  t.equal(frameCount(Uint8Array.of(0xfb, 0x83)), 3);
  t.equal(frameCount(Uint8Array.of(0xfb)), 0);
  t.equal(packetSamples(Uint8Array.of(0xfb, 6)), 5_760);
  t.equal(packetSamples(Uint8Array.of(0xfb, 7)), 0, 'longer than 120 ms');
});

t.test('only one stereo frame of 20 ms passes through', LIMIT, async (t) => {
  const celt = (bytes: number, toc = 0xfc): Uint8Array =>
    Uint8Array.from({ length: bytes }, (_, i) => (i === 0 ? toc : 1));
  t.ok(isPassThrough(celt(300)));
  t.ok(isPassThrough(celt(1_275)));
  t.notOk(isPassThrough(celt(1_276)), 'too large for a frame');
  t.notOk(isPassThrough(celt(300, 0xf8)), 'mono');
  t.notOk(isPassThrough(celt(300, 0xf4)), '10 ms');
  t.notOk(isPassThrough(celt(300, 0xfd)), 'two frames');
  t.notOk(isPassThrough(new Uint8Array(0)));
  t.notOk(isPassThrough(SILENCE_FRAME), 'the silence frame is mono, and voice sends it itself');
});

t.test('any bytes have an answer that agrees with itself', LIMIT, async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1_400 }), (packet) => {
      const samples = packetSamples(packet);
      if (samples < 0 || samples > 5_760 || samples % 120 !== 0) return false;
      if (samples > 0 && samples !== frameSamples(packet) * frameCount(packet)) return false;
      return !isPassThrough(packet) || (samples === 960 && isStereo(packet) && packet.length <= 1_275);
    }),
    { numRuns: 300 },
  );
});

t.test('what a common encoder writes passes through, packet for packet', LIMIT, async (t) => {
  for (const bytes of [fixture('oggOpus').bytes, fixture('webmOpus').bytes, tune(2)]) {
    const packets = await packetsOf(await open(new MemoryBytes(bytes)));
    t.ok(packets.length > 90 && packets.every((packet) => isPassThrough(packet.data)));
    t.ok(
      packets.every((packet, i) => Math.abs(packet.time - i * 0.02) < 1e-9),
      'on a grid of 20 ms from 0',
    );
  }
  const mono = await packetsOf(await open(new MemoryBytes(fixture('oggOpusMono').bytes)));
  t.notOk(mono.some((packet) => isPassThrough(packet.data)));
});
