// Which producer a track gets: its packets handed on where nothing has to be changed, else encoded anew.
import t from 'tap';
import type { StreamFormat } from '../../src/audio/container.js';
import { systemClock } from '../../src/shared/clock.js';
import { createProducer, type ProducerOptions } from '../../src/shard/create-producer.js';
import { Media } from '../../src/shard/media.js';
import { Made } from '../../src/shard/producer.js';
import { Reader } from '../../src/shard/reader.js';
import { ReaderTurns } from '../../src/shard/reader-turns.js';
import { FrameMode } from '../../src/shard/voice/driver.js';
import { FakeContainer, numberOf, packetOf, type FakeContainerOptions } from '../support/fake-container.js';

const LIMIT = { timeout: 5_000 };
const turns = new ReaderTurns(systemClock);
const SETTINGS = { volume: 100, filters: {}, complexity: 0, bitrate: 96_000, resampling: 'LOW' as const };

/** A reader on packets whose times are late by `late` seconds, when it has read all it may. */
async function readerOf(
  options: FakeContainerOptions & { format?: Partial<StreamFormat>; late?: number },
  from = 0,
): Promise<Reader> {
  const container = new FakeContainer(options);
  Object.assign(container.info.format, options.format);
  const { late } = options;
  if (late !== undefined) {
    let next = 0;
    container.packets = () =>
      Promise.resolve({
        next: () => {
          const number = next++;
          const { data, duration, time } = packetOf(number);
          return Promise.resolve(number < options.packets ? { data, duration, time: time + late } : null);
        },
      });
  }
  const media = new Media(() => Promise.resolve(container));
  const reader = new Reader(media, { from, ahead: 1, turns, changed: () => undefined });
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  return reader;
}

const choose = (reader: Reader, more: Partial<ProducerOptions> = {}): ReturnType<typeof createProducer> =>
  createProducer({ reader, settings: SETTINGS, at: 0, framesKept: 10, mayPassThrough: true, ...more });

t.test('there is none before the packet it would begin with is here', LIMIT, async (t) => {
  const container = new FakeContainer({ packets: 500 });
  container.heldFrom = 5;
  const media = new Media(() => Promise.resolve(container));
  const reader = new Reader(media, { from: 0, ahead: 1, turns, changed: () => undefined });
  t.equal(choose(reader), null, 'not even open');
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  t.equal(choose(reader, { at: 0.1 }), null);
  t.equal(choose(reader, { at: 0.08 })?.mode, FrameMode.passthrough);
});

t.test('packets that Discord can be given are handed on from the one asked for', LIMIT, async (t) => {
  const reader = await readerOf({ packets: 500 });
  for (const [at, first] of [
    [0, 0],
    [0.2, 10],
    [0.213, 10],
    // The clock of a container may be a millisecond behind its packets.
    [0.2199, 11],
  ] as const) {
    const producer = choose(reader, { at });
    t.equal(producer?.mode, FrameMode.passthrough);
    t.equal(producer?.make(), Made.frame);
    t.equal(numberOf(producer?.frame(0) ?? new Uint8Array()), first, `at ${String(at)}`);
  }
});

t.test('times that a container has rounded up move nothing', LIMIT, async (t) => {
  const producer = choose(await readerOf({ packets: 500, late: 0.001 }), { at: 0.2 });
  t.equal(producer?.make(), Made.frame);
  t.equal(numberOf(producer?.frame(0) ?? new Uint8Array()), 10);
});

t.test('whatever has to be changed is encoded', LIMIT, async (t) => {
  const plain = await readerOf({ packets: 500 });
  const cases = {
    'another volume': choose(plain, { settings: { ...SETTINGS, volume: 99 } }),
    'a filter': choose(plain, { settings: { ...SETTINGS, filters: { volume: 0.5 } } }),
    'a packet that did not fit': choose(plain, { mayPassThrough: false }),
    'two frames in a packet': choose(await readerOf({ packets: 500, unfitFrom: 0 })),
    'another codec': choose(await readerOf({ packets: 500, format: { codec: 'pcm-s16' } })),
  };
  for (const [why, producer] of Object.entries(cases)) {
    t.equal(producer?.mode, FrameMode.encoded, why);
    producer?.close();
  }
});

t.test('a filter that changes nothing is no reason to encode', LIMIT, async (t) => {
  const reader = await readerOf({ packets: 500 });
  for (const filters of [{ volume: 1 }, { unheardOf: { level: 3 } }]) {
    const producer = choose(reader, { settings: { ...SETTINGS, filters } });
    t.equal(producer?.mode, FrameMode.passthrough, JSON.stringify(filters));
  }
});

t.test('behind the end of a track there is a producer that has nothing', LIMIT, async (t) => {
  for (const settings of [SETTINGS, { ...SETTINGS, volume: 50 }]) {
    const producer = choose(await readerOf({ packets: 10 }), { at: 0.2, settings });
    t.equal(producer?.make(), Made.ended, `volume ${String(settings.volume)}`);
    producer?.close();
  }
});

t.test('a format without a decoder is an error of its own', LIMIT, async (t) => {
  const codec = 'speex' as StreamFormat['codec'];
  const reader = await readerOf({ packets: 500, format: { codec } });
  t.throws(() => choose(reader), { name: 'ServerError' });
});
