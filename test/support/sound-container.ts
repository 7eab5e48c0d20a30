// A container of PCM made of nothing, at any rate and width, with times that may jump or stand still. For
// tests of what large packets and odd times do to a window.
import type { Container, ContainerInfo, PacketCursor } from '../../src/audio/container.js';

export interface SoundOptions {
  readonly sampleRate: number;
  readonly channels: number;
  /** Samples per channel in a packet. */
  readonly samples: number;
  readonly packets: number;
  /** The time in seconds that a packet says it begins at; by default what its number comes to. */
  readonly timeOf?: (number: number) => number;
}

export class SoundContainer implements Container {
  readonly info: ContainerInfo;
  taken = 0;
  readonly #options: SoundOptions;

  constructor(options: SoundOptions) {
    const { sampleRate, channels, samples, packets } = options;
    this.#options = options;
    this.info = {
      probe: 'wav',
      format: { codec: 'pcm-f32', sampleRate, channels, description: null },
      durationMs: Math.round((packets * samples * 1_000) / sampleRate),
      title: null,
      artist: null,
      isrc: null,
    };
  }

  packets(fromSeconds: number): Promise<PacketCursor> {
    const { sampleRate, channels, samples, packets } = this.#options;
    const duration = samples / sampleRate;
    const timeOf = this.#options.timeOf ?? ((number: number): number => number * duration);
    let next = Math.max(0, Math.floor(fromSeconds / duration + 1e-9));
    return Promise.resolve({
      next: () => {
        const number = next++;
        if (number >= packets) return Promise.resolve(null);
        this.taken++;
        const data = new Uint8Array(samples * channels * 4);
        return Promise.resolve({ data, time: timeOf(number), duration });
      },
    });
  }

  close(): void {
    // Nothing is open.
  }
}
