// Test signals as planar float PCM: tones that differ from channel to channel with clicks at irregular
// places, a sweep, silence, and the tune of the demo. Deterministic: the same arguments give the same samples.

export interface Pcm {
  /** Hz. */
  readonly rate: number;
  /** One array per channel, full scale 1, all of one length. */
  readonly channels: readonly Float32Array[];
}

/** Hz; no tone is a multiple of another, and the two sides share none. */
const LEFT_TONES = [233, 587, 1_409, 3_187];
const RIGHT_TONES = [311, 773, 1_867, 4_241];

const CLICK_SECONDS = 0.002;

/** Sample positions of the clicks in a multitone: gaps between 0.31 and 0.46 s, so that no shift fits twice. */
export function clickPositions(seconds: number, rate: number): number[] {
  const positions: number[] = [];
  for (let at = 0.25, n = 0; at < seconds - 0.1; at += 0.31 + 0.05 * ((n * 7) % 4), n++) {
    positions.push(Math.round(at * rate));
  }
  return positions;
}

/** Four tones on each side, a slow swell, and a short burst at each click position. */
export function multitone(seconds: number, rate = 48_000, channels = 2): Pcm {
  const length = Math.round(seconds * rate);
  const clicks = clickPositions(seconds, rate);
  return {
    rate,
    channels: Array.from({ length: channels }, (_, side) => {
      const pcm = new Float32Array(length);
      const tones = side % 2 === 0 ? LEFT_TONES : RIGHT_TONES;
      for (let i = 0; i < length; i++) {
        const t = i / rate;
        let sample = 0;
        for (const [n, hertz] of tones.entries()) sample += Math.sin(2 * Math.PI * hertz * t + n) / (n + 3);
        pcm[i] = 0.3 * sample * (0.8 + 0.2 * Math.sin(2 * Math.PI * 0.7 * t + side));
      }
      for (const at of clicks) addClick(pcm, at, rate);
      return pcm;
    }),
  };
}

function addClick(pcm: Float32Array, at: number, rate: number): void {
  const length = Math.round(CLICK_SECONDS * rate);
  for (let i = 0; i < length && at + i < pcm.length; i++) {
    const window = Math.sin((Math.PI * i) / length) ** 2;
    pcm[at + i] = (pcm[at + i] ?? 0) + 0.4 * window * Math.sin((2 * Math.PI * 2_500 * i) / rate);
  }
}

/** A tone of one level from end to end, the same on both sides. */
export function tone(seconds: number, hertz = 440, rate = 48_000, level = 0.3): Pcm {
  const pcm = Float32Array.from(
    { length: Math.round(seconds * rate) },
    (_, i) => level * Math.sin((2 * Math.PI * hertz * i) / rate),
  );
  return { rate, channels: [pcm, pcm.slice()] };
}

/** A logarithmic sweep, the same on both sides. */
export function sweep(seconds: number, rate = 48_000, from = 50, to = 20_000): Pcm {
  const length = Math.round(seconds * rate);
  const pcm = new Float32Array(length);
  const growth = Math.log(to / from) / seconds;
  for (let i = 0; i < length; i++) {
    pcm[i] = 0.5 * Math.sin(((2 * Math.PI * from) / growth) * (Math.exp((growth * i) / rate) - 1));
  }
  return { rate, channels: [pcm, pcm.slice()] };
}

/** The same with a little noise of a fixed seed, so that no two of its packets are encoded alike. */
export function withNoise(pcm: Pcm, level = 0.02): Pcm {
  let state = 1;
  const noise = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state / 2 ** 31 - 1) * level;
  };
  return { rate: pcm.rate, channels: pcm.channels.map((side) => side.map((sample) => sample + noise())) };
}

export function silence(seconds: number, rate = 48_000, channels = 2): Pcm {
  const length = Math.round(seconds * rate);
  return { rate, channels: Array.from({ length: channels }, () => new Float32Array(length)) };
}

/** Semitones above A2 of a pentatonic walk, two notes a second, with a bass below. */
const MELODY = [12, 15, 17, 19, 22, 19, 17, 15, 12, 19, 24, 22, 19, 17, 15, 10];
const BASS = [0, 0, -4, -4, -7, -7, -2, -2];

/** A pleasant tune for people to listen to. */
export function tunePcm(seconds: number, rate = 48_000): Pcm {
  const length = Math.round(seconds * rate);
  const left = new Float32Array(length);
  const right = new Float32Array(length);
  const note = (semitones: number): number => 110 * 2 ** (semitones / 12);
  for (let n = 0; n * 0.5 < seconds; n++) {
    const melody = note(MELODY[n % MELODY.length] ?? 12);
    const bass = note(BASS[Math.floor(n / 2) % BASS.length] ?? 0);
    const pan = 0.5 + 0.3 * Math.sin(n);
    const start = Math.round(n * 0.5 * rate);
    for (let i = 0; i < rate * 1.2 && start + i < length; i++) {
      const t = i / rate;
      const attack = Math.min(1, t / 0.01);
      const high =
        0.22 *
        attack *
        Math.exp(-3 * t) *
        (Math.sin(2 * Math.PI * melody * t) + 0.3 * Math.sin(4 * Math.PI * melody * t));
      const low = n % 2 === 0 ? 0.18 * attack * Math.exp(-1.5 * t) * Math.sin(2 * Math.PI * bass * t) : 0;
      left[start + i] = (left[start + i] ?? 0) + high * (1 - pan) + low;
      right[start + i] = (right[start + i] ?? 0) + high * pan + low;
    }
  }
  return { rate, channels: [left, right] };
}
