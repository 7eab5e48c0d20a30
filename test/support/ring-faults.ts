// Mistakes that one could make in the send ring, each planted in a subclass or in the atomic operations of one
// thread: the torture has to see every one of them, else it proves nothing.
import { wordsPerRing, type SlabLayout } from '../../src/shared/ring-slab.js';
import { RING_WORDS, RingWord, SLOT_WORDS, SlotWord } from '../../src/shared/ring-words.js';
import { RingReader, RingWriter } from '../../src/shared/send-ring.js';
import { random, spin } from './ring-ledger.js';

export const RING_FAULTS = [
  'a claim without an exchange',
  'a publish without an exchange',
  'a flush without an exchange',
  'a publish before the bytes are written',
  'HEAD stored before the send',
  'a nonce taken back on flush',
  'a nonce stored after its use',
  'a flush that takes the claimed packet too',
  'room that ignores HEAD',
  'room that forgets the slot of the last packet',
  'a timestamp that a flush does not take back',
  'a sequence that a flush does not take back',
  'a successor that sends an open claim again',
] as const;
export type RingFault = (typeof RING_FAULTS)[number];

/** The memory of one ring, past its own interface. */
class Raw {
  readonly words: Int32Array;
  readonly #at: number;
  readonly #slots: number;

  constructor(slab: SlabLayout, index: number) {
    this.words = new Int32Array(slab.words);
    this.#at = index * wordsPerRing(slab.slots);
    this.#slots = slab.slots;
  }

  get(word: number): number {
    return Atomics.load(this.words, this.#at + word);
  }

  set(word: number, value: number): void {
    Atomics.store(this.words, this.#at + word, value);
  }

  exchange(change: (span: number) => number): void {
    for (;;) {
      const span = this.get(RingWord.span);
      const found = Atomics.compareExchange(this.words, this.#at + RingWord.span, span, change(span));
      if (found === span) return;
    }
  }

  slot(index: number, word: number): number {
    const at = this.#at + RING_WORDS + (index & (this.#slots - 1)) * SLOT_WORDS;
    return this.words[at + word] ?? 0;
  }
}

export function faultyWriter(slab: SlabLayout, index: number, fault: RingFault | null): RingWriter {
  const raw = new Raw(slab, index);
  switch (fault) {
    case 'a publish without an exchange':
      return new (class extends RingWriter {
        override publish(...args: Parameters<RingWriter['publish']>): void {
          withoutExchange(() => super.publish(...args));
        }
      })(slab, index);
    case 'a flush without an exchange':
      return new (class extends RingWriter {
        override flush(): number {
          return withoutExchange(() => super.flush());
        }
      })(slab, index);
    case 'a publish before the bytes are written':
      return new (class extends RingWriter {
        override publish(...args: Parameters<RingWriter['publish']>): void {
          const [packet, length, offset, ...rest] = args;
          super.publish(new Uint8Array(length), length, offset, ...rest);
          if (random(4) === 0) spin(random(10));
          new Uint8Array(slab.bytes).set(packet.subarray(0, length), index * slab.ringBytes + offset);
        }
      })(slab, index);
    case 'a nonce taken back on flush':
      return new (class extends RingWriter {
        override flush(): number {
          const revoked = super.flush();
          raw.set(RingWord.nonce, raw.get(RingWord.nonce) - revoked);
          return revoked;
        }
      })(slab, index);
    case 'a nonce stored after its use':
      return new (class extends RingWriter {
        override takeNonce(): number {
          const nonce = super.takeNonce();
          raw.set(RingWord.nonce, nonce);
          return nonce;
        }
        override publish(...args: Parameters<RingWriter['publish']>): void {
          super.publish(...args);
          raw.set(RingWord.nonce, raw.get(RingWord.nonce) + 1);
        }
      })(slab, index);
    case 'a flush that takes the claimed packet too':
      return new (class extends RingWriter {
        override flush(): number {
          const head = raw.get(RingWord.head) & 0xffff;
          raw.exchange((span) => (head << 16) | (span & 0xffff));
          return super.flush();
        }
      })(slab, index);
    case 'room that ignores HEAD':
      return new (class extends RingWriter {
        override room(length: number): number {
          if (super.room(0) < 0 && this.queued >= slab.slots - 1) return -1;
          const newest = raw.slot((raw.get(RingWord.span) & 0xffff) - 1, SlotWord.place);
          const end = (newest >>> 16) + (newest & 0xffff);
          return end + length <= slab.ringBytes ? end : 0;
        }
      })(slab, index);
    case 'room that forgets the slot of the last packet':
      return new (class extends RingWriter {
        override room(length: number): number {
          const offset = super.room(length);
          if (offset >= 0 || this.queued !== slab.slots - 1) return offset;
          const newest = raw.slot((raw.get(RingWord.span) & 0xffff) - 1, SlotWord.place);
          const oldest = raw.slot(raw.get(RingWord.head), SlotWord.place) >>> 16;
          const end = (newest >>> 16) + (newest & 0xffff);
          return end + length <= (newest >>> 16 < oldest ? oldest : slab.ringBytes) ? end : -1;
        }
      })(slab, index);
    case 'a timestamp that a flush does not take back':
      return new (class extends RingWriter {
        #last: number | null = null;
        override begin(sequence: number, timestamp: number): void {
          this.#last = null;
          super.begin(sequence, timestamp);
        }
        override timestamp(gap: number): number {
          return this.#last === null ? super.timestamp(gap) : (this.#last + 960 + gap) >>> 0;
        }
        override publish(...args: Parameters<RingWriter['publish']>): void {
          this.#last = args[3];
          super.publish(...args);
        }
      })(slab, index);
    case 'a sequence that a flush does not take back':
      return new (class extends RingWriter {
        #next: number | null = null;
        override begin(sequence: number, timestamp: number): void {
          this.#next = null;
          super.begin(sequence, timestamp);
        }
        override get sequence(): number {
          return this.#next ?? super.sequence;
        }
        override publish(...args: Parameters<RingWriter['publish']>): void {
          this.#next = (this.sequence + 1) & 0xffff;
          super.publish(...args);
        }
      })(slab, index);
    default:
      return new RingWriter(slab, index);
  }
}

export function faultyReader(slab: SlabLayout, index: number, fault: RingFault | null): RingReader {
  const raw = new Raw(slab, index);
  switch (fault) {
    case 'a claim without an exchange':
      return new (class extends RingReader {
        override claim(): boolean {
          return withoutExchange(() => super.claim());
        }
      })(slab, index);
    case 'HEAD stored before the send':
      return new (class extends RingReader {
        #held = false;
        override claim(): boolean {
          if (this.#held || !super.claim()) return false;
          super.release(0);
          return (this.#held = true);
        }
        override closed(): boolean {
          return !this.#held && super.closed();
        }
        override release(): void {
          this.#held = false;
        }
      })(slab, index);
    case 'a successor that sends an open claim again':
      return new (class extends RingReader {
        override recover(): boolean {
          const head = raw.get(RingWord.head) & 0xffff;
          raw.exchange((span) => (head << 16) | (span & 0xffff));
          return false;
        }
      })(slab, index);
    default:
      return new RingReader(slab, index);
  }
}

/** Runs it with a compareExchange that is a load, then a store. */
function withoutExchange<Result>(run: () => Result): Result {
  const { compareExchange } = Atomics;
  const plain = (words: Int32Array, at: number, expected: number, value: number): number => {
    const found = words[at] ?? 0;
    // The moment between the two is made long enough to be hit.
    spin(random(10));
    if (found === expected) words[at] = value;
    return found;
  };
  try {
    Object.assign(Atomics, { compareExchange: plain });
    return run();
  } finally {
    Object.assign(Atomics, { compareExchange });
  }
}
