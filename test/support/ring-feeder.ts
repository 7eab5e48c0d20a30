// The shard's half of the send ring's torture: on one ring it plays, flushes, pauses, resumes, removes and begins
// again at random. It throws at the first thing that is not as it must be. Runs in a worker that may die before
// any atomic operation; what has to outlive it stands in the ledger.
import { ServerError } from '../../src/shared/errors.js';
import { RingWord } from '../../src/shared/ring-words.js';
import { Mark, RingControl, type RingWriter } from '../../src/shared/send-ring.js';
import { Entry, random, Stat, type RingLedger } from './ring-ledger.js';
import { compose, Field, HEADER_WORDS, LARGEST, SMALLEST } from './ring-packet.js';

const SILENCE = 2;
const scratch = Buffer.alloc(LARGEST);
const header = new Int32Array(HEADER_WORDS);

export class RingFeeder {
  readonly #writer: RingWriter;
  readonly #ledger: RingLedger;
  readonly #ring: number;
  #paused = false;
  /** Turns that only play: between flushes a ring gets full. */
  #calm = 0;

  constructor(writer: RingWriter, ledger: RingLedger) {
    this.#writer = writer;
    this.#ledger = ledger;
    this.#ring = writer.index;
    // What a dead producer has sealed may go out, or not.
    if (random(2) === 0) this.#flush();
  }

  turn(): void {
    const control = this.#writer.control;
    if (control === RingControl.closing) return;
    if (control === RingControl.closed) this.#begin();
    const dice = random(128);
    // No flush while paused: it would take the silence back.
    if (this.#paused && dice >= 64) return;
    this.#burst(dice % 8, this.#paused ? 960 * random(1000) : 0);
    this.#paused = false;
    if (random(64) === 0) this.#calm = random(40);
    if (this.#calm-- > 0) return;
    if (dice < 40) this.#flush();
    if (dice < 4) this.#pause();
    if (dice === 40) this.#writer.close();
  }

  #begin(): void {
    const [ring, ledger] = [this.#ring, this.#ledger];
    const sequence = random(2) === 0 ? 65_530 : random(65_536);
    const timestamp = random(2) === 0 ? 2 ** 32 - 5 * 960 : random(2 ** 32);
    ledger.set(ring, Entry.life, ledger.get(ring, Entry.life) + 1);
    ledger.set(ring, Entry.firstSequence, sequence);
    ledger.set(ring, Entry.firstTimestamp, timestamp);
    ledger.set(ring, Entry.nextSealed, 0);
    this.#writer.begin(sequence, timestamp);
    this.#must(this.#writer.sequence === sequence, 'the first sequence is the one asked for');
    this.#must(this.#writer.timestamp(0) === timestamp, 'the first timestamp is the one asked for');
    ledger.add(Stat.lives);
    // Some keys are nearly used up (reliability.md case 6).
    const late = 2 ** 32 - 1 - random(200);
    if (random(4) === 0) Atomics.store(ledger.slabWords, ledger.place(ring, RingWord.nonce), late);
  }

  #burst(packets: number, gap: number): void {
    for (let i = 0; i < packets; i++) if (!this.#seal(0, 0, i === 0 ? gap : 0)) return;
  }

  #pause(): void {
    for (let ordinal = 1; ordinal <= 5; ordinal++) {
      if (!this.#seal(ordinal === 5 ? SILENCE | Mark.end : SILENCE, ordinal, 0)) return;
    }
    this.#paused = true;
    this.#ledger.add(Stat.pauses);
  }

  #flush(): void {
    const writer = this.#writer;
    writer.flush();
    // The flush point: from here on no packet of an older generation may be claimed.
    const generation = this.#ledger.get(this.#ring, Entry.generation);
    this.#ledger.set(this.#ring, Entry.generation, generation + 1);
    const { queued } = writer;
    this.#must(queued === 0 || queued === 1, `${queued} packets left by a flush`);
    this.#ledger.add(Stat.openClaims, queued);
    this.#ledger.add(Stat.flushes);
  }

  /** False if it has to wait, or the key is used up. */
  #seal(mark: number, ordinal: number, gap: number): boolean {
    const [writer, ledger, ring] = [this.#writer, this.#ledger, this.#ring];
    const length = this.#length();
    const offset = writer.room(length);
    if (offset < 0) {
      ledger.add(writer.queued === ledger.slab.slots - 1 ? Stat.fullOfPackets : Stat.fullOfBytes);
      return false;
    }
    const nonce = this.#nonce();
    if (nonce === null) return false;
    // Sealing may fail: the nonce is used all the same.
    if (random(64) === 0) return false;
    const index = ledger.span(ring) & 0xffff;
    const timestamp = writer.timestamp(gap);
    header[Field.ring] = ring;
    header[Field.index] = index;
    header[Field.generation] = ledger.get(ring, Entry.generation);
    header[Field.life] = ledger.get(ring, Entry.life);
    header[Field.nonce] = nonce;
    header[Field.sequence] = writer.sequence;
    header[Field.timestamp] = timestamp;
    header[Field.gap] = gap;
    header[Field.mark] = mark;
    header[Field.ordinal] = ordinal;
    header[Field.length] = length;
    compose(scratch, header);
    writer.publish(scratch, length, offset, timestamp, mark, index + 0.5, nonce);
    return true;
  }

  #nonce(): number | null {
    const [ledger, ring] = [this.#ledger, this.#ring];
    try {
      const nonce = this.#writer.takeNonce();
      this.#must(nonce >= ledger.get(ring, Entry.nextSealed) >>> 0, `nonce ${nonce} taken again`);
      ledger.set(ring, Entry.nextSealed, nonce + 1);
      return nonce;
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      this.#writer.close();
      ledger.add(Stat.exhausted);
      return null;
    }
  }

  /** Even rings run out of slots, odd ones of bytes. */
  #length(): number {
    if (this.#ring % 2 === 0) return SMALLEST + random(60);
    return random(8) === 0 ? 1_000 + random(LARGEST - 1_000) : SMALLEST + random(350);
  }

  #must(holds: boolean, what: string): void {
    if (!holds) throw new Error(`ring ${this.#ring}, sealing: ${what}`);
  }
}
