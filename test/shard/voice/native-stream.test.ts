// The frames of one voice session on their way into a send ring, with a sender that is the test's own hand: what
// each packet bears, what is told of frames that wait, are missed or are given up, and what the row says lies sealed.
import t from 'tap';
import { DRIVER, DRIVER_WORDS } from '../../../src/shared/driver-words.js';
import { SealedRow } from '../../../src/shared/sealed-row.js';
import { createSlab, Mark, RingReader, RingWriter } from '../../../src/shared/send-ring.js';
import type { DaveSession } from '../../../src/shard/voice/dave-session.js';
import { FrameMode } from '../../../src/shard/voice/driver.js';
import { OutQueue } from '../../../src/shard/voice/out-queue.js';
import { NativeStream } from '../../../src/shard/voice/native-stream.js';
import { SCRATCH, type Sealer } from '../../../src/shard/voice/seal.js';
import { ManualClock } from '../../support/manual-clock.js';
import { TestRow } from '../../support/player-row.js';

const LIMIT = { timeout: 10_000 };
const LEAD = 8;

/** Copies a frame as it is: what is sealed can be read. */
const plainSealer: Sealer = {
  mode: 'aead_xchacha20_poly1305_rtpsize',
  seal(frame) {
    SCRATCH.set(frame);
    return frame.length;
  },
  close: () => undefined,
};

interface Packet {
  readonly byte: number;
  readonly kind: number;
  readonly sourceMs: number;
  readonly tag: number;
  readonly end: boolean;
}

class Scene {
  readonly clock = new ManualClock(1_000);
  readonly row = new TestRow();
  readonly counters = new Float64Array(DRIVER_WORDS);
  readonly told: string[] = [];
  /** The DAVE group: how frames leave, and those that it cannot encrypt. */
  readonly dave = {
    frameWay: 'plain' as DaveSession['frameWay'],
    broken: new Set<number>(),
    encrypt: (frame: Uint8Array): Uint8Array | null => (this.dave.broken.has(frame[0] ?? 0) ? null : frame),
  };
  readonly reader: RingReader;
  readonly stream: NativeStream;

  constructor() {
    const slab = createSlab(1, 32, 4_096);
    const ring = new RingWriter(slab, 0);
    ring.begin(0, 0);
    this.reader = new RingReader(slab, 0);
    this.stream = new NativeStream({
      clock: this.clock,
      queue: new OutQueue(),
      ring,
      control: {
        outlivesShard: true,
        discover: () => undefined,
        open: () => undefined,
        start: () => undefined,
        close: () => undefined,
      },
      sealer: plainSealer,
      dave: this.dave as unknown as DaveSession,
      ssrc: 1,
      lead: LEAD,
      counters: this.counters,
      row: new SealedRow(this.row.place),
      listener: {
        onSent: () => this.told.push('sent'),
        onGivenUp: (_at, why) => this.told.push(`given up: ${why}`),
        onMissed: (isBlocked) => this.told.push(isBlocked ? 'blocked' : 'missed'),
        onSpeaking: () => undefined,
      },
    });
  }

  /** Frames numbered from `from` on, each its own number and ending 20 ms times that. */
  push(from: number, count = 1, tag = 1, mode: FrameMode = FrameMode.encoded): void {
    for (let n = from; n < from + count; n++) this.stream.push(Uint8Array.of(n), n * 20, tag, mode);
  }

  /** One slot of 20 ms: a packet leaves, or none can. */
  slot(): Packet | null {
    this.clock.advance(20);
    const { reader } = this;
    if (!reader.claim()) {
      reader.underrun();
      this.stream.poll();
      return null;
    }
    const packet = {
      byte: reader.packet()[0] ?? -1,
      kind: reader.mark & Mark.kindMask,
      sourceMs: reader.sourceMs,
      tag: reader.tag,
      end: (reader.mark & Mark.end) !== 0,
    };
    reader.release(this.clock.now());
    this.stream.poll();
    return packet;
  }

  slots(count: number): (Packet | null)[] {
    return Array.from({ length: count }, () => this.slot());
  }
}

t.test('a packet bears where its frame ends, its tag and its kind', LIMIT, async (t) => {
  const s = new Scene();
  s.push(1, 1, 7, FrameMode.passthrough);
  s.push(2, 1, -8, FrameMode.encoded);
  s.stream.finish();
  t.same(s.slots(3), [
    { byte: 1, kind: 0, sourceMs: 20, tag: 7, end: false },
    { byte: 2, kind: 1, sourceMs: 40, tag: -8, end: false },
    { byte: 0xf8, kind: 2, sourceMs: 0, tag: 0, end: false },
  ]);
  t.match(s.slots(4).at(-1), { kind: 2, end: true });
});

t.test('what is sealed again bears what it bore', LIMIT, async (t) => {
  const s = new Scene();
  s.push(1, 3, 7);
  s.dave.frameWay = 'sealed';
  s.stream.reseal();
  t.same(
    s.slots(3).map((packet) => [packet?.sourceMs, packet?.tag]),
    [
      [20, 7],
      [40, 7],
      [60, 7],
    ],
  );
});

t.test('a frame that cannot be encrypted is silence in its slot, and told as given up', LIMIT, async (t) => {
  const s = new Scene();
  s.dave.frameWay = 'sealed';
  s.dave.broken.add(2);
  s.push(1, 3);
  t.same(
    s.slots(3).map((packet) => [packet?.byte, packet?.kind]),
    [
      [1, 1],
      [0xf8, 2],
      [3, 1],
    ],
  );
  t.same(s.told, ['sent', 'given up: socket', 'sent']);
  t.equal(s.counters[DRIVER.failed], 1);
});

t.test('a frame that can be encrypted at a second sealing is sent as itself', LIMIT, async (t) => {
  const s = new Scene();
  s.dave.frameWay = 'sealed';
  s.dave.broken.add(1);
  s.push(1, 2);
  s.dave.broken.clear();
  s.stream.reseal();
  t.same(
    s.slots(2).map((packet) => packet?.byte),
    [1, 2],
  );
  t.same(s.told, ['sent', 'sent']);
});

t.test('a frame that is taken back after it could not be encrypted counts among those', LIMIT, async (t) => {
  const s = new Scene();
  s.dave.frameWay = 'sealed';
  s.dave.broken.add(2);
  s.push(1, 3);
  t.equal(s.stream.flush(), 3);
  t.same(s.slots(2), [null, null]);
  t.equal(s.told.includes('given up: socket'), false);
});

t.test('no slot is missed while frames wait for their group, from the first slot on', LIMIT, async (t) => {
  const s = new Scene();
  s.push(1, 2);
  s.slots(2);
  s.dave.frameWay = 'hold';
  s.push(3, 4);
  s.slots(10);
  t.same(s.told, ['sent', 'sent']);
  s.dave.frameWay = 'sealed';
  s.stream.reseal();
  t.same(
    s.slots(4).map((packet) => packet?.byte),
    [3, 4, 5, 6],
  );
  t.same(s.told.length, 6, 'nor when the wait is over');
});

t.test('frames of a group that stays away are given up, one a slot', LIMIT, async (t) => {
  const s = new Scene();
  s.dave.frameWay = 'hold';
  s.push(1, 5);
  s.slots(3);
  t.same(s.told, []);
  s.dave.frameWay = 'withheld';
  s.slots(3);
  t.same(s.told, ['given up: ring', 'given up: ring', 'given up: ring']);
  t.equal(s.counters[DRIVER.withheld], 3);
});

t.test('an empty queue is missed, and frames that the ring does not take are blocked', LIMIT, async (t) => {
  const s = new Scene();
  s.push(1);
  s.slots(3);
  t.same(s.told, ['sent', 'missed', 'missed']);
  // Longer than the whole ring.
  s.stream.push(new Uint8Array(5_000), 40, 1, FrameMode.encoded);
  s.slots(2);
  t.same(s.told.slice(3), ['blocked', 'blocked']);
});

t.test(
  'the row says where the last sealed frame ends, and nothing once that is taken back',
  LIMIT,
  async (t) => {
    const s = new Scene();
    s.push(1, 5);
    t.equal(s.row.sealedMs, 100);
    s.slots(2);
    t.equal(s.row.sealedMs, 100, 'whatever has left of it');
    s.stream.flush();
    t.equal(s.row.sealedMs, 0);
    s.push(3, 2);
    t.equal(s.row.sealedMs, 80);
    s.stream.finish();
    t.equal(s.row.sealedMs, 80, 'silence moves it not');
    s.push(9, 1, 0);
    t.equal(s.row.sealedMs, 80, 'nor does a frame without a tag');
    s.dave.frameWay = 'hold';
    s.stream.reseal();
    t.equal(s.row.sealedMs, 0, 'what waits for its group is sealed no more');
    s.dave.frameWay = 'plain';
    s.stream.reseal();
    t.equal(s.row.sealedMs, 80);
    s.stream.close();
    t.equal(s.row.sealedMs, 0);
  },
);
