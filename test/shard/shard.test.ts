// A whole shard without a thread, a network or real time: commands in, frames and events out.
import t from 'tap';
import { Shard } from '../../src/shard/shard.js';
import { PlayerFlag, PlayerWord } from '../../src/shared/counter-words.js';
import { ShardCounters } from '../../src/shared/counters.js';
import { PlayerTable } from '../../src/shared/player-table.js';
import { ServerError } from '../../src/shared/errors.js';
import type { CommandOp, PlayBody, UpdateBody } from '../../src/shared/shard-commands.js';
import type { EventEnvelope, PlayerEvent } from '../../src/shared/shard-events.js';
import { FakeContainer, numberOf, type FakeContainerOptions } from '../support/fake-container.js';
import { FakeDriver } from '../support/fake-driver.js';
import { ManualClock } from '../support/manual-clock.js';

const VOICE = { token: 't', endpoint: 'e:1', sessionId: 's', channelId: '7' };
const AUDIO = {
  complexity: 5,
  bitrate: 96_000,
  resampling: 'LOW' as const,
  windowMs: 1_000,
  bufferMs: 400,
  ghosting: true,
  stuckMs: 10_000,
};

class House {
  readonly clock = new ManualClock();
  readonly counters = new ShardCounters();
  readonly table = new PlayerTable();
  readonly driver: FakeDriver;
  readonly events: EventEnvelope[] = [];
  readonly containers: FakeContainer[] = [];
  readonly shard: Shard;
  tracks: FakeContainerOptions = { packets: 500 };
  #rev = 0;

  constructor(options: { willing?: boolean; audio?: Partial<typeof AUDIO> } = {}) {
    this.driver = new FakeDriver(this.clock, options.willing ?? true);
    this.shard = new Shard({
      clock: this.clock,
      counters: this.counters,
      tables: [this.table],
      driver: this.driver,
      openTrack: (token) => {
        if (token === 'broken') return Promise.reject(new ServerError('PUM_FORMAT_UNKNOWN'));
        const container = new FakeContainer(this.tracks);
        if (token === 'held') container.heldFrom = 0;
        this.containers.push(container);
        return Promise.resolve(container);
      },
      audio: { ...AUDIO, ...options.audio },
      memory: () => ({ heapUsed: 0, external: 0 }),
      notify: (notice) => {
        if (notice.kind === 'event') this.events.push(notice.event);
      },
    });
  }

  command(command: CommandOp, epoch = 1, rev = ++this.#rev): Promise<unknown> {
    return this.shard.command({ ...command, v: 1, id: 1, player: 'p', epoch, rev, ttlMs: 5_000 });
  }

  async create(epoch = 1): Promise<void> {
    await this.command({ op: 'create', body: body() }, epoch);
  }

  async update(update: UpdateBody): Promise<unknown> {
    const answer = this.command({ op: 'update', body: update });
    await this.settle();
    return answer;
  }

  /** Lets promises and queued work run, without moving the clock. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 30; turn++) {
      this.clock.runSoon();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Plays `frames` slots of 20 ms. */
  async run(frames: number): Promise<void> {
    for (let n = 0; n < frames; n++) {
      this.clock.advance(20);
      for (const connection of this.driver.connections) connection.tick();
      this.clock.runSoon();
      if (n % 20 === 0) await this.settle();
    }
    await this.settle();
  }

  get types(): string[] {
    return this.events.map(({ body }) => (body.type === 'trackEnd' ? `trackEnd ${body.reason}` : body.type));
  }

  eventOf<T extends PlayerEvent['type']>(type: T): Extract<PlayerEvent, { type: T }> {
    const event = this.events.find(({ body }) => body.type === type)?.body;
    if (!event) throw new Error(`no ${type}`);
    return event as Extract<PlayerEvent, { type: T }>;
  }

  get position(): number {
    return this.table.readPosition(0).positionMs;
  }

  /** Numbers of the packets that left, `null` for frames encoded here, 'finish' for silence. */
  get heard(): (number | null | 'finish')[] {
    return this.driver.last.sent.map((frame) => (frame === 'finish' ? frame : numberOf(frame)));
  }
}

function body(): Extract<CommandOp, { op: 'create' }>['body'] {
  return {
    session: 's',
    guild: '1',
    user: '2',
    row: 0,
    volume: 100,
    filters: {},
    paused: false,
    voice: null,
    seq: 0,
  };
}

const play = (token = 'track', more: Partial<PlayBody> = {}): PlayBody => ({
  token,
  instance: 1,
  startMs: 0,
  endTimeMs: null,
  ...more,
});

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);

t.test(
  'a track plays from its first packet to its last, passed through, and ends once',
  { timeout: 10_000 },
  async (t) => {
    const house = new House();
    house.tracks = { packets: 60 };
    await house.create();
    t.same(await house.update({ voice: VOICE, track: play() }), { connected: true });
    await house.run(80);
    t.same(house.heard, [...range(0, 60), 'finish']);
    t.same(house.types, ['voiceReady', 'trackStart', 'trackLength', 'trackEnd finished']);
    t.equal(house.eventOf('trackEnd').positionMs, 1_200);
    t.equal(house.eventOf('trackLength').lengthMs, 1_200);
    t.same(
      house.events.map(({ seq }) => seq),
      [1, 2, 3, 4],
    );
    t.equal(house.table.get(0, PlayerWord.sent), 60);
    t.ok(house.containers[0]?.closed);
  },
);

t.test('the position is that of the frames sent', { timeout: 10_000 }, async (t) => {
  const house = new House();
  await house.create();
  await house.update({ voice: VOICE, track: play('track', { startMs: 2_000 }) });
  t.equal(house.position, 2_000, 'before the first frame: the start');
  await house.run(10);
  t.equal(house.position, 2_200);
  t.same(house.heard, range(100, 110));
});

t.test('a pause keeps the place, and nothing is lost or played twice', { timeout: 10_000 }, async (t) => {
  const house = new House();
  await house.create();
  await house.update({ voice: VOICE, track: play() });
  await house.run(10);
  await house.update({ paused: true });
  await house.run(10);
  t.equal(house.position, 200);
  t.ok(house.table.get(0, PlayerWord.flags) & PlayerFlag.paused);
  await house.update({ paused: false });
  await house.run(10);
  t.same(house.heard, [...range(0, 10), 'finish', ...range(10, 20)]);
  t.equal(house.table.get(0, PlayerWord.nulled), 0, 'a pause is no underrun');
});

t.test(
  'a seek inside the window, behind it and back lands on the frame asked for',
  { timeout: 10_000 },
  async (t) => {
    const house = new House();
    await house.create();
    await house.update({ voice: VOICE, track: play() });
    await house.run(10);
    await house.update({ positionMs: 600 });
    t.equal(house.position, 600, 'the answer says where it was asked to go');
    await house.run(5);
    const afterInside = house.heard;
    const landed = afterInside.indexOf(30);
  t.ok(landed >= 10 && landed <= 12, afterInside.join(' '));
  t.same(afterInside.slice(landed), range(30, 30 + afterInside.length - landed));
    await house.update({ positionMs: 8_000 });
    await house.run(6);
    t.same(
      house.heard.slice(-3),
      [401, 402, 403].map((n) => n + 0),
      house.heard.join(' '),
    );
    await house.update({ positionMs: 0 });
    await house.run(6);
    t.ok(
      house.heard.slice(-4).every((n) => typeof n === 'number' && n < 10),
      house.heard.join(' '),
    );
    t.same(
      house.types.filter((type) => type.startsWith('track')),
      ['trackStart', 'trackLength'],
    );
  },
);

t.test(
  'after a seek old frames go on until the new ones are there, without moving the position',
  { timeout: 10_000 },
  async (t) => {
    const house = new House();
    await house.create();
    await house.update({ voice: VOICE, track: play() });
    await house.run(5);
    house.containers[0]?.release(300);
    await house.update({ positionMs: 7_000 });
    await house.run(5);
    t.same(house.heard, range(0, 10), 'ghosting');
    t.equal(house.position, 7_000);
    house.containers[0]?.release();
    await house.settle();
    await house.run(6);
    t.ok(house.heard.includes(352), house.heard.join(' '));
  },
);

t.test(
  'a changed volume is heard from the next frame made on, and back again frame by frame',
  { timeout: 10_000 },
  async (t) => {
    const house = new House();
    await house.create();
    await house.update({ voice: VOICE, track: play() });
    await house.run(30);
    await house.update({ volume: 50 });
    await house.run(20);
    await house.update({ volume: 100 });
    await house.run(20);
    const heard = house.heard;
    const firstEncoded = heard.indexOf(null);
    t.ok(firstEncoded >= 30 && firstEncoded <= 32, `encoded from ${String(firstEncoded)}`);
    const back = heard.findIndex((n, at) => at > firstEncoded && n !== null);
    t.equal(heard[back], back, 'the packet passed through again is the one whose turn it is');
    t.ok(back >= 50 && back <= 52);
    t.equal(house.position, 1_400);
  },
);

t.test(
  'a packet that cannot be passed through is encoded, and the track goes on',
  { timeout: 10_000 },
  async (t) => {
    const house = new House();
    house.tracks = { packets: 40, unfitFrom: 30 };
    await house.create();
    await house.update({ voice: VOICE, track: play() });
    await house.run(60);
    t.same(house.heard.slice(0, 30), range(0, 30));
    t.ok(house.heard.slice(30, -1).every((n) => n === null));
    t.ok(house.types.includes('trackEnd finished'));
  },
);

t.test(
  'a new track ends the old one first, and old frames sound until it has its own',
  { timeout: 10_000 },
  async (t) => {
    const house = new House();
    await house.create();
    await house.update({ voice: VOICE, track: play() });
    await house.run(10);
    await house.update({ track: play('held', { instance: 2 }) });
    t.same(house.types, ['voiceReady', 'trackStart', 'trackLength', 'trackEnd replaced', 'trackStart']);
    await house.run(4);
    t.same(house.heard, range(0, 14), 'the shadow of the old track');
    t.equal(house.position, 0);
    house.containers[1]?.release();
    await house.settle();
    await house.run(6);
    t.same(
      house.heard.slice(-4).every((n) => typeof n === 'number' && n < 6),
      true,
      house.heard.join(' '),
    );
    t.ok(house.containers[0]?.closed, 'the old track has been let go of');
  },
);

t.test(
  'an end marker ends the track there as finished; one that is late does nothing',
  { timeout: 10_000 },
  async (t) => {
    const house = new House();
    await house.create();
    await house.update({ voice: VOICE, track: play() });
    await house.run(10);
    await house.update({ endTimeMs: 100 });
    await house.run(10);
    t.notOk(house.types.includes('trackEnd finished'));
    await house.update({ endTimeMs: 600 });
    await house.run(20);
    t.same(house.heard, [...range(0, 30), 'finish']);
    t.equal(house.eventOf('trackEnd').reason, 'finished');
    t.equal(house.eventOf('trackEnd').positionMs, 600);
  },
);

t.test('stop ends the track at once with five silent frames to follow', { timeout: 10_000 }, async (t) => {
  const house = new House();
  await house.create();
  await house.update({ voice: VOICE, track: play() });
  await house.run(10);
  await house.update({ track: null });
  await house.run(3);
  t.same(house.heard, [...range(0, 10), 'finish']);
  t.equal(house.eventOf('trackEnd').reason, 'stopped');
  t.equal(house.table.get(0, PlayerWord.instance), 0);
});

t.test(
  'a track that cannot be opened is an exception, then loadFailed, once each',
  { timeout: 10_000 },
  async (t) => {
    const house = new House();
    await house.create();
    await house.update({ voice: VOICE, track: play('broken') });
    await house.run(3);
    t.same(house.types, ['voiceReady', 'trackStart', 'trackException', 'trackEnd loadFailed']);
    t.equal(house.eventOf('trackException').error.code, 'PUM_FORMAT_UNKNOWN');
  },
);

t.test(
  'a source that breaks plays what it brought, then exception and finished',
  { timeout: 10_000 },
  async (t) => {
    const house = new House();
    house.tracks = { packets: 100, failAt: 25 };
    await house.create();
    await house.update({ voice: VOICE, track: play() });
    await house.run(40);
    t.same(house.heard, [...range(0, 25), 'finish']);
    t.same(house.types.slice(-2), ['trackException', 'trackEnd finished']);
  },
);

t.test(
  'a stalled source is stuck once, is counted as nulled, and goes on when it comes back',
  { timeout: 10_000 },
  async (t) => {
    const house = new House({ audio: { stuckMs: 1_000 } });
    await house.create();
    await house.update({ voice: VOICE });
    house.tracks = { packets: 500 };
    await house.update({ track: play() });
    const container = house.containers[0];
    await house.run(5);
    container?.release(0);
    await house.run(200);
    const stuck = house.types.filter((type) => type === 'trackStuck');
    t.same(stuck, ['trackStuck']);
    t.ok(house.table.get(0, PlayerWord.nulled) > 50);
    container?.release();
    await house.settle();
    await house.run(20);
    t.same(
      house.types.filter((type) => type === 'trackEnd finished'),
      [],
    );
    const numbers = house.heard.filter((n) => typeof n === 'number');
    t.same(numbers, range(0, numbers.length), 'no packet was lost over it');
  },
);

t.test('a track without a voice connection is cleaned up after a minute', { timeout: 10_000 }, async (t) => {
  const house = new House();
  await house.create();
  await house.update({ track: play() });
  house.clock.advance(59_000);
  t.notOk(house.types.includes('trackEnd cleanup'));
  house.clock.advance(2_000);
  t.same(house.types.slice(-1), ['trackEnd cleanup']);
});

t.test('a paused track with a voice connection is never cleaned up', { timeout: 10_000 }, async (t) => {
  const house = new House();
  await house.create();
  await house.update({ voice: VOICE, track: play(), paused: true });
  house.clock.advance(600_000);
  t.same(house.types, ['voiceReady', 'trackStart']);
});

t.test(
  'voice that cannot be had is told to the PATCH alone, and nothing behind it is applied',
  { timeout: 10_000 },
  async (t) => {
    const house = new House({ willing: false });
    await house.create();
    const answer = house.command({ op: 'update', body: { voice: VOICE, track: play() } });
    await house.settle();
    house.driver.last.fail();
    await t.rejects(answer, { code: 'PUM_VOICE_FAILED' });
    t.same(house.types, []);
  },
);

t.test(
  'voice that takes its time is answered after five seconds, and its failure is then an event',
  { timeout: 10_000 },
  async (t) => {
    const house = new House({ willing: false });
    await house.create();
    const answer = house.command({ op: 'update', body: { voice: VOICE, track: play() } });
    await house.settle();
    house.clock.advance(5_000);
    t.same(await answer, { connected: false });
    t.same(house.types, ['trackStart']);
    house.driver.last.fail({ code: 4_004, reason: 'Authentication failed' });
    t.same(house.types, ['trackStart', 'voiceClosed']);
    t.equal(house.eventOf('voiceClosed').code, 4_004);
  },
);

t.test('changed voice data reconnects while the track keeps its place', { timeout: 10_000 }, async (t) => {
  const house = new House();
  await house.create();
  await house.update({ voice: VOICE, track: play() });
  await house.run(10);
  await house.update({ voice: { ...VOICE, endpoint: 'other:1' } });
  t.equal(house.driver.connections.length, 2);
  t.ok(house.driver.connections[0]?.closed);
  await house.run(10);
  t.same(house.heard, range(10, 20), 'the next frame is the one that had not left');
  t.same(house.types, ['voiceReady', 'trackStart', 'trackLength', 'voiceClosed', 'voiceReady']);
  t.equal(house.eventOf('voiceClosed').code, 1_000);
});

t.test('a lost voice connection leaves the track where it is', { timeout: 10_000 }, async (t) => {
  const house = new House();
  await house.create();
  await house.update({ voice: VOICE, track: play() });
  await house.run(10);
  house.driver.last.fail({ code: 4_014, reason: 'Disconnected' });
  await house.run(10);
  t.equal(house.position, 200);
  t.notOk(house.table.get(0, PlayerWord.flags) & PlayerFlag.connected);
  await house.update({ voice: VOICE });
  await house.run(5);
  t.same(house.heard[0], 10, house.heard.join(' '));
});

t.test(
  'destroy ends track and voice with their events; release does so without',
  { timeout: 10_000 },
  async (t) => {
    for (const op of ['destroy', 'release'] as const) {
      const house = new House();
      await house.create();
      await house.update({ voice: VOICE, track: play() });
      await house.run(5);
      const before = house.types.length;
      await house.command({ op, body: {} });
      t.same(house.types.slice(before), op === 'destroy' ? ['trackEnd stopped', 'voiceClosed'] : []);
      t.ok(house.driver.last.closed);
      t.ok(house.containers[0]?.closed);
      t.equal(house.shard.players, 0);
      await house.run(5);
      t.equal(house.clock.pending, 1, 'only the watch of the shard is left');
    }
  },
);

t.test(
  'an adopted player connects without an event and keeps counting its events',
  { timeout: 10_000 },
  async (t) => {
    const house = new House();
    await house.command({ op: 'adopt', body: { ...body(), voice: VOICE, seq: 41 } }, 3);
    await house.settle();
    t.ok(house.driver.last.connected);
    t.same(house.types, []);
    await house.command({ op: 'update', body: { track: play() } }, 3);
    t.equal(house.events[0]?.seq, 42);
    t.equal(house.events[0]?.epoch, 3);
  },
);

t.test(
  'an old placement, a repeated revision and an unknown player are refused',
  { timeout: 10_000 },
  async (t) => {
    const house = new House();
    await house.create(5);
    await t.rejects(house.command({ op: 'update', body: {} }, 4), { code: 'PUM_COMMAND_STALE' });
    await house.command({ op: 'update', body: {} }, 5, 100);
    await t.rejects(house.command({ op: 'update', body: {} }, 5, 100), { code: 'PUM_COMMAND_STALE' });
    await t.rejects(house.command({ op: 'create', body: body() }, 5), { code: 'PUM_COMMAND_STALE' });
    await house.command({ op: 'destroy', body: {} }, 5, 101);
    await t.rejects(house.command({ op: 'update', body: {} }, 5, 102), { code: 'PUM_COMMAND_STALE' });
  },
);

t.test('a reader stops at the length of its window', { timeout: 10_000 }, async (t) => {
  const house = new House();
  house.tracks = { packets: 5_000 };
  await house.create();
  await house.update({ voice: VOICE, track: play() });
  const taken = house.containers[0]?.taken ?? 0;
  t.ok(taken >= 50 && taken <= 60, `${String(taken)} packets for a window of a second`);
  await house.run(100);
  const later = house.containers[0]?.taken ?? 0;
  t.ok(later >= 140 && later <= 165, `${String(later)} packets after two more seconds`);
});
