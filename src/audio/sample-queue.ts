// Interleaved stereo samples at 48 kHz between the filters and the encoder. One per pipeline; grows to what
// one packet needs and is then reused, so that a steady state allocates nothing.

export class SampleQueue {
  #pcm = new Float32Array(8_192);
  #head = 0;
  #tail = 0;

  /** Samples per channel that wait. */
  get length(): number {
    return this.#tail - this.#head;
  }

  /** Where the waiting samples lie: from `head` on, counted in samples per channel. */
  get pcm(): Float32Array {
    return this.#pcm;
  }

  get head(): number {
    return this.#head;
  }

  push(pcm: Float32Array, from: number, samples: number): void {
    this.#reserve(samples);
    const offset = this.#tail * 2;
    for (let i = 0; i < samples * 2; i++) this.#pcm[offset + i] = pcm[from * 2 + i] ?? 0;
    this.#tail += samples;
  }

  pushSilence(samples: number): void {
    this.#reserve(samples);
    this.#pcm.fill(0, this.#tail * 2, (this.#tail + samples) * 2);
    this.#tail += samples;
  }

  drop(samples: number): void {
    this.#head = Math.min(this.#tail, this.#head + samples);
    if (this.#head === this.#tail) this.#head = this.#tail = 0;
  }

  #reserve(samples: number): void {
    if ((this.#tail + samples) * 2 <= this.#pcm.length) return;
    const waiting = this.length;
    if ((waiting + samples) * 2 <= this.#pcm.length) {
      this.#pcm.copyWithin(0, this.#head * 2, this.#tail * 2);
    } else {
      const larger = new Float32Array(Math.max((waiting + samples) * 2, this.#pcm.length * 2));
      larger.set(this.#pcm.subarray(this.#head * 2, this.#tail * 2));
      this.#pcm = larger;
    }
    this.#head = 0;
    this.#tail = waiting;
  }
}
