// A window that is full by one measure and empty by another never stops the music: large packets, short
// windows, odd times. Playback and reader without a player.
import t from 'tap';
import { systemClock } from '../../src/shared/clock.js';
import { Media } from '../../src/shard/media.js';
import { Playback, type PlaybackOptions } from '../../src/shard/playback.js';
import { Made } from '../../src/shard/producer.js';
import { ReaderTurns } from '../../src/shard/reader-turns.js';
import { SoundContainer, type SoundOptions } from '../support/sound-container.js';

const SETTINGS = { volume: 100, filters: {}, complexity: 0, bitrate: 96_000, resampling: 'LOW' as const };

function playbackOf(sound: SoundOptions, more: Partial<PlaybackOptions> = {}): Playback {
  return new Playback({
    instance: 1,
    media: new Media(() => Promise.resolve(new SoundContainer(sound))),
    from: 0,
    end: null,
    settings: SETTINGS,
    ahead: 5,
    framesKept: 25,
    turns: new ReaderTurns(systemClock),
    ghosting: true,
    changed: () => undefined,
    ...more,
  });
}

/** Takes frames as a connection with a queue of two would; returns how many came before something else did. */
async function play(playback: Playback, frames: number): Promise<{ frames: number; made: Made }> {
  let made: Made = Made.starved;
  let taken = 0;
  const starts: number[] = [];
  for (let patience = 0; taken < frames && patience < 50;) {
    made = playback.prepare();
    if (made === Made.ended || made === Made.failed) break;
    if (made === Made.frame) {
      starts.push(playback.nextStart);
      playback.take();
      taken++;
      patience = 0;
      if (starts.length > 2) playback.sentUpTo((starts.shift() ?? 0) + 0.02);
    } else {
      patience++;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return { frames: taken, made };
}

const SOUNDS = {
  'CD, mono and stereo alike': { sampleRate: 44_100, channels: 2, samples: 2_048 },
  '96 kHz in stereo': { sampleRate: 96_000, channels: 2, samples: 2_048 },
  '192 kHz in 5.1': { sampleRate: 192_000, channels: 6, samples: 2_048 },
  '384 kHz in 7.1': { sampleRate: 384_000, channels: 8, samples: 2_048 },
  'tiny packets': { sampleRate: 48_000, channels: 2, samples: 48 },
};

t.test('a start in the middle, a seek and a pause go on at any byte rate', { timeout: 20_000 }, async (t) => {
  for (const [name, sound] of Object.entries(SOUNDS)) {
    const packets = Math.ceil((20 * sound.sampleRate) / sound.samples);
    for (const ahead of [0.2, 5]) {
      const playback = playbackOf({ ...sound, packets }, { from: 3, ahead });
      t.equal((await play(playback, 60)).frames, 60, `${name}, from the middle`);
      playback.seek(10, false);
      t.equal((await play(playback, 60)).frames, 60, `${name}, after a seek`);
      playback.putBack(2, playback.nextStart - 0.04);
      t.equal((await play(playback, 20)).frames, 20, `${name}, after a pause`);
      playback.reconfigure({ ...SETTINGS, volume: 50 });
      t.equal((await play(playback, 20)).frames, 20, `${name}, with another volume`);
      playback.close();
    }
  }
});

t.test('a source whose times begin late or jump plays to its end', { timeout: 10_000 }, async (t) => {
  const packets = 400;
  const duration = 480 / 48_000;
  const times: Record<string, (number: number) => number> = {
    'begins after hours, as a radio does': (n) => 20_000 + n * duration,
    'jumps by a minute': (n) => n * duration + (n >= 100 ? 60 : 0),
  };
  for (const [name, timeOf] of Object.entries(times)) {
    const playback = playbackOf({ sampleRate: 48_000, channels: 2, samples: 480, packets, timeOf });
    const { frames, made } = await play(playback, 1_000);
    t.equal(made, Made.ended, name);
    t.ok(frames >= 190, `${name}: ${String(frames)} frames`);
    playback.close();
  }
});

t.test('times that mean nothing fill no memory', { timeout: 20_000 }, async (t) => {
  for (const time of [0, NaN]) {
    const sound = { sampleRate: 48_000, channels: 2, samples: 4_096, packets: 100_000, timeOf: () => time };
    const container = new SoundContainer(sound);
    const playback = playbackOf(sound, { media: new Media(() => Promise.resolve(container)) });
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    t.ok(container.taken * 4_096 * 8 <= 5 * 1024 * 1024, `${String(container.taken)} packets`);
    playback.close();
  }
});

t.test('a place whose packets never come is no endless search', { timeout: 20_000 }, async (t) => {
  const sound = { sampleRate: 48_000, channels: 2, samples: 4_096, packets: 100_000, timeOf: () => 0 };
  const container = new SoundContainer(sound);
  const playback = playbackOf(sound, { media: new Media(() => Promise.resolve(container)), from: 60 });
  const { made } = await play(playback, 1);
  t.equal(made, Made.failed);
  t.equal(playback.failure?.code, 'PUM_FORMAT_BROKEN');
  t.ok(container.taken < 200);
  playback.close();
});

t.test('ten volumes within a tenth of a second cost three encoders', { timeout: 10_000 }, async (t) => {
  const playback = playbackOf({ sampleRate: 48_000, channels: 2, samples: 960, packets: 500 });
  await play(playback, 20);
  let encoders = 0;
  for (let n = 0; n < 10; n++) {
    // An encoder is told its complexity once.
    const settings = { ...SETTINGS, volume: 50 + n };
    Object.defineProperty(settings, 'complexity', { get: () => (encoders++, 0) });
    playback.reconfigure(settings);
    if (n % 2 === 1) await play(playback, 1);
  }
  t.ok(encoders >= 1 && encoders <= 3, `${String(encoders)} encoders`);
  const before = encoders;
  await play(playback, 10);
  t.equal(encoders, before + 1, 'the last volume is not forgotten');
  playback.close();
});
