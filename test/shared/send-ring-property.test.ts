// The send ring against a model of it: any order of the two ends' steps, deaths of either end included, leaves
// what a plain list of packets would.
import fc from 'fast-check';
import t from 'tap';
import { RingWord } from '../../src/shared/ring-words.js';
import { createSlab, RingControl, RingReader, RingWriter } from '../../src/shared/send-ring.js';

const SLOTS = 32;
const BYTES = 2_048;

type Step =
  | { readonly kind: 'publish'; readonly length: number; readonly gap: number }
  | { readonly kind: 'begin'; readonly sequence: number; readonly timestamp: number }
  | { readonly kind: 'claim' | 'release' | 'flush' | 'close' | 'closed' | 'newWriter' | 'newReader' };

interface Packet {
  readonly offset: number;
  readonly length: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly fill: number;
}

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('publish' as const),
      length: fc.oneof(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: BYTES + 1 })),
      gap: fc.oneof(fc.constant(0), fc.nat(100_000)),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('begin' as const),
      sequence: fc.nat(0xffff),
      timestamp: fc.nat({ max: 2 ** 32 - 1 }),
    }),
  },
  ...(['claim', 'release'] as const).map((kind) => ({ weight: 5, arbitrary: fc.constant({ kind }) })),
  ...(['flush', 'close', 'closed', 'newWriter', 'newReader'] as const).map((kind) => ({
    weight: 1,
    arbitrary: fc.constant({ kind }),
  })),
);

const head = fc.constantFrom(0, 2 ** 15 - 20, 2 ** 16 - 20, 2 ** 31 - 20, 2 ** 32 - 20, 12_345_678);

/** What the ring should be, as simply as it can be said. */
class Model {
  queue: Packet[] = [];
  claimed = false;
  control: number = RingControl.closed;
  sequence = 0;
  /** Timestamp of the packet before the next one. */
  last: number | null = null;
  nonces = new Set<number>();
  fill = 0;
  /** Timestamp base of this life, and of the newest packet done. */
  base = 0;
  done: number | null = null;

  timestamp(gap: number): number {
    const before = this.queue.at(-1)?.timestamp ?? this.done;
    return before === null ? (this.base + gap) % 2 ** 32 : (before + 960 + gap) % 2 ** 32;
  }

  overlaps(offset: number, length: number): boolean {
    return this.queue.some((other) => offset < other.offset + other.length && other.offset < offset + length);
  }

  finish(): void {
    this.done = this.queue.shift()?.timestamp ?? null;
    this.claimed = false;
  }
}

function run(start: number, steps: readonly Step[]): void {
  const slab = createSlab(1, SLOTS, BYTES);
  const words = new Int32Array(slab.words);
  words[RingWord.head] = start;
  words[RingWord.span] = (start << 16) | (start & 0xffff);
  let writer = new RingWriter(slab, 0);
  let reader = new RingReader(slab, 0);
  const model = new Model();
  const scratch = Buffer.alloc(BYTES + 1);
  const same = (actual: unknown, expected: unknown, what: string): void => {
    if (actual !== expected) throw new Error(`${what}: ${String(actual)}, not ${String(expected)}`);
  };
  const publish = (length: number, gap: number): void => {
    const offset = writer.room(length);
    if (model.control !== RingControl.active || model.queue.length === SLOTS - 1) {
      same(offset, -1, 'no room where nothing may be published');
      return;
    }
    if (offset < 0) {
      const end = (model.queue.at(-1)?.offset ?? 0) + (model.queue.at(-1)?.length ?? 0);
      const fits = (at: number): boolean => at + length <= BYTES && !model.overlaps(at, length);
      same(fits(0) || (model.queue.length > 0 && fits(end)), false, 'there would have been room');
      return;
    }
    same(offset + length <= BYTES && !model.overlaps(offset, length), true, 'in one piece, over nothing');
    const nonce = writer.takeNonce();
    same(model.nonces.has(nonce), false, 'nonce used again');
    model.nonces.add(nonce);
    const packet: Packet = {
      offset,
      length,
      sequence: (model.sequence + model.queue.length) & 0xffff,
      timestamp: model.timestamp(gap),
      fill: (model.fill = (model.fill + 1) & 0xff),
    };
    same(writer.sequence, packet.sequence, 'sequence');
    same(writer.timestamp(gap), packet.timestamp, 'timestamp');
    writer.publish(
      scratch.fill(packet.fill),
      length,
      offset,
      packet.timestamp,
      1,
      nonce / 2,
      packet.sequence,
    );
    model.queue.push(packet);
  };
  const release = (): void => {
    if (!model.claimed) return;
    const [packet] = model.queue;
    same(reader.length, packet?.length, 'length');
    same(reader.timestamp, packet?.timestamp, 'timestamp');
    same(reader.tag, packet?.sequence, 'tag');
    same(
      reader.packet().every((byte) => byte === packet?.fill),
      true,
      'bytes',
    );
    reader.release(0);
    model.finish();
    model.sequence = (model.sequence + 1) & 0xffff;
  };
  const revoke = (): number => model.queue.splice(model.claimed ? 1 : 0).length;
  const take = (step: Step): void => {
    switch (step.kind) {
      case 'publish':
        return publish(step.length, step.gap);
      case 'begin':
        if (model.control !== RingControl.closed) return;
        writer.begin(step.sequence, step.timestamp);
        model.control = RingControl.active;
        model.sequence = step.sequence;
        model.base = step.timestamp;
        model.done = null;
        model.nonces.clear();
        return;
      case 'claim':
        same(reader.claim(), !model.claimed && model.queue.length > 0, 'claim');
        model.claimed ||= model.queue.length > 0;
        return;
      case 'release':
        return release();
      case 'flush':
        return same(writer.flush(), revoke(), 'flush');
      case 'close':
        writer.close();
        if (model.control !== RingControl.active) return;
        revoke();
        model.control = RingControl.closing;
        return;
      case 'closed': {
        const letsGo = model.control === RingControl.closing && model.queue.length === 0;
        same(reader.closed(), letsGo, 'closed');
        if (letsGo) model.control = RingControl.closed;
        return;
      }
      case 'newWriter':
        writer = new RingWriter(slab, 0);
        return;
      case 'newReader':
        reader = new RingReader(slab, 0);
        same(reader.recover(), model.claimed, 'recover');
        if (!model.claimed) return;
        model.finish();
        model.sequence = (model.sequence + 1) & 0xffff;
    }
  };
  for (const step of steps) {
    take(step);
    same(writer.queued, model.queue.length, `queued after ${step.kind}`);
    same(writer.control, model.control, `control after ${step.kind}`);
    same(reader.empty, model.queue.length === (model.claimed ? 1 : 0), `empty after ${step.kind}`);
  }
}

t.test('any order of steps and deaths does what a list of packets would', { timeout: 30_000 }, async () => {
  const begun = fc
    .array(step, { minLength: 20, maxLength: 300, size: 'max' })
    .map((steps): Step[] => [{ kind: 'begin', sequence: 65_530, timestamp: 2 ** 32 - 960 }, ...steps]);
  fc.assert(fc.property(head, begun, run), { numRuns: 300 });
});
