// The sender's half of the send ring's torture: it claims, looks at every packet as a listener who holds the key
// would, and throws at the first one that is not as it must be. Runs in a worker that may die at any moment; what
// has to outlive it stands in the ledger, written before the operation that makes it true.
import { SlotWord } from '../../src/shared/ring-words.js';
import { Mark, type RingReader } from '../../src/shared/send-ring.js';
import { Entry, Proof, random, spin, Stat, type RingLedger } from './ring-ledger.js';
import { check, Field, HEADER_WORDS } from './ring-packet.js';

const header = new Int32Array(HEADER_WORDS);
const field = (name: number): number => header[name] ?? 0;

export class RingReceiver {
  readonly #reader: RingReader;
  readonly #ledger: RingLedger;
  readonly #ring: number;
  /** Rounds for which the packet stays with a socket that is full; 0: nothing is claimed. */
  #waiting = 0;
  /** Rounds for which nothing falls due here: only so does a ring get full. */
  #away = 0;
  /** Index and flush point of the claimed packet. */
  #index = 0;
  #point = 0;

  constructor(reader: RingReader, ledger: RingLedger) {
    this.#reader = reader;
    this.#ledger = ledger;
    this.#ring = reader.index;
    if (ledger.claimOpen(this.#ring)) this.#noteSkipped();
    if (reader.recover()) ledger.add(Stat.skipped);
  }

  get idle(): boolean {
    return this.#waiting === 0 && this.#away === 0;
  }

  /** Takes at most one packet; false if there was none or the last one is still with the socket. */
  turn(): boolean {
    const [reader, ledger, ring] = [this.#reader, this.#ledger, this.#ring];
    if (this.#waiting > 0) {
      this.#must(!reader.claim(), 'a second claim while one is open');
      this.#must(!reader.closed(), 'let go while a claim is open');
      if (--this.#waiting > 0) return false;
      this.#send();
      return true;
    }
    if (random(64) === 0) this.#away = random(80);
    if (this.#away > 0) {
      this.#away--;
      return false;
    }
    this.#index = ledger.head(ring);
    this.#must(!ledger.claimOpen(ring), 'claimed by nobody');
    this.#point = ledger.get(ring, Entry.generation);
    if (!reader.claim()) {
      if (reader.closing() && reader.empty) this.#letGo();
      return false;
    }
    if (random(4) === 0) spin(random(4));
    if (random(12) === 0) {
      this.#waiting = 1 + random(3);
      ledger.add(Stat.held);
      return false;
    }
    this.#send();
    return true;
  }

  /** The system call: what is in the packet now is on the wire. */
  #send(): void {
    const [reader, ledger, ring, index] = [this.#reader, this.#ledger, this.#ring, this.#index];
    this.#must(check(reader.bytes, reader.offset, reader.length, header), 'torn');
    const [mark, ordinal, timestamp] = [reader.mark, field(Field.ordinal), reader.timestamp];
    this.#must(
      field(Field.ring) === ring &&
        field(Field.index) === (index & 0xffff) &&
        field(Field.life) === ledger.get(ring, Entry.life) &&
        field(Field.mark) === mark &&
        field(Field.timestamp) >>> 0 === timestamp &&
        field(Field.nonce) === reader.tag &&
        reader.sourceMs === (index & 0xffff) + 0.5,
      'another packet than its words say',
    );
    this.#must(field(Field.generation) >= this.#point, 'of an old generation after the flush point');
    this.#follows(timestamp, mark, ordinal);
    this.#note(Entry.sent, index, timestamp, mark);
    ledger.add(Stat.sent);
    reader.release(performance.now());
  }

  /** Compares with the packet before, be it sent or lost with a dead receiver. */
  #follows(timestamp: number, mark: number, ordinal: number): void {
    const [ledger, ring, index] = [this.#ledger, this.#ring, this.#index];
    const before = (index - 1) | 0;
    this.#must(ledger.get(ring, Entry.sent + Proof.index) !== index, 'sent twice');
    const skipped = ledger.get(ring, Entry.skipped + Proof.index) === before;
    const record = skipped ? Entry.skipped : Entry.sent;
    const last = (word: number): number => ledger.get(ring, record + word);
    this.#must(last(Proof.index) === before, `hole or reordering after ${last(Proof.index)}`);
    this.#must(field(Field.nonce) >>> 0 >= last(Proof.nextNonce) >>> 0, 'nonce used again');
    const gap = field(Field.gap);
    if (last(Proof.fresh) === 1) {
      const first = (ledger.get(ring, Entry.firstTimestamp) + gap) >>> 0;
      this.#must(field(Field.sequence) === ledger.get(ring, Entry.firstSequence), 'first sequence');
      this.#must(timestamp === first, 'first timestamp');
    } else {
      const step = (timestamp - last(Proof.timestamp)) | 0;
      this.#must(field(Field.sequence) === ((last(Proof.sequence) + 1) & 0xffff), 'sequence');
      this.#must(step === 960 + gap, `timestamp step ${step} with a gap of ${gap}`);
      this.#must(gap === 0 || (last(Proof.mark) & Mark.end) !== 0, 'gap without an end');
    }
    this.#must(ordinal < 2 || ordinal === last(Proof.ordinal) + 1, 'silence frames in order');
    this.#must((mark & Mark.end) === 0 || ordinal === 5, 'end before the fifth silence frame');
  }

  /** The packet in the open claim of a dead receiver counts as done, whether it went out or not. */
  #noteSkipped(): void {
    const [ledger, ring] = [this.#ledger, this.#ring];
    const index = ledger.head(ring);
    const word = (name: number): number => ledger.slabWords[ledger.slotPlace(ring, index, name)] ?? 0;
    const place = word(SlotWord.place);
    const offset = ring * ledger.slab.ringBytes + (place >>> 16);
    this.#must(check(this.#reader.bytes, offset, place & 0xffff, header), 'torn in an open claim');
    this.#note(Entry.skipped, index, word(SlotWord.timestamp), word(SlotWord.mark));
  }

  #note(record: number, index: number, timestamp: number, mark: number): void {
    const [ledger, ring] = [this.#ledger, this.#ring];
    ledger.set(ring, record + Proof.nextNonce, field(Field.nonce) + 1);
    ledger.set(ring, record + Proof.timestamp, timestamp);
    ledger.set(ring, record + Proof.mark, mark);
    ledger.set(ring, record + Proof.sequence, field(Field.sequence));
    ledger.set(ring, record + Proof.ordinal, field(Field.ordinal));
    ledger.set(ring, record + Proof.fresh, 0);
    ledger.set(ring, record + Proof.index, index);
  }

  #letGo(): void {
    noteFresh(this.#ledger, this.#ring);
    this.#must(this.#reader.closed(), 'a closing ring with nothing in it is let go');
  }

  #must(holds: boolean, what: string): void {
    if (!holds) throw new Error(`ring ${this.#ring}, index ${this.#index}: ${what}`);
  }
}

/** Whatever comes next in this ring is the first of its life. */
export function noteFresh(ledger: RingLedger, ring: number): void {
  const before = (ledger.head(ring) - 1) | 0;
  ledger.set(ring, Entry.skipped + Proof.index, (before - 1) | 0);
  ledger.set(ring, Entry.sent + Proof.nextNonce, 0);
  ledger.set(ring, Entry.sent + Proof.mark, Mark.end);
  ledger.set(ring, Entry.sent + Proof.ordinal, 0);
  ledger.set(ring, Entry.sent + Proof.fresh, 1);
  ledger.set(ring, Entry.sent + Proof.index, before);
}
