// A whole shard without a thread, a network or real time: commands in, frames and events out. Tests of the
// shard's rules run on it, one 20 ms slot at a time.
import { Shard } from '../../src/shard/shard.js';
import { PlayerWord } from '../../src/shared/counter-words.js';
import { ShardCounters } from '../../src/shared/counters.js';
import { PlayerTable } from '../../src/shared/player-table.js';
import { ServerError } from '../../src/shared/errors.js';
import type { CommandOp, PlayBody, UpdateBody } from '../../src/shared/shard-commands.js';
import type { EventEnvelope, PlayerEvent } from '../../src/shared/shard-events.js';
import { FakeContainer, numberOf, type FakeContainerOptions } from './fake-container.js';
import { FakeDriver } from './fake-driver.js';
import { ManualClock } from './manual-clock.js';

export const VOICE = { token: 't', endpoint: 'e:1', sessionId: 's', channelId: '7' };
const AUDIO = {
  complexity: 5,
  bitrate: 96_000,
  resampling: 'LOW' as const,
  windowMs: 1_000,
  bufferMs: 400,
  ghosting: true,
  stuckMs: 10_000,
};

export class House {
  readonly clock = new ManualClock();
  readonly counters = new ShardCounters();
  readonly table = new PlayerTable();
  readonly driver: FakeDriver;
  readonly events: EventEnvelope[] = [];
  readonly containers: FakeContainer[] = [];
  readonly shard: Shard;
  tracks: FakeContainerOptions = { packets: 500 };
  #rev = 0;
  #id = 0;

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

  /** A house with one player that is connected and plays. */
  static async playing(tracks: FakeContainerOptions = { packets: 500 }, body = play()): Promise<House> {
    const house = new House();
    house.tracks = tracks;
    await house.create();
    await house.update({ voice: VOICE, track: body });
    return house;
  }

  command(command: CommandOp, epoch = 1, rev = ++this.#rev): Promise<unknown> {
    const id = ++this.#id;
    // As main does when it gives the row to a placement.
    if (command.op === 'create' || command.op === 'adopt') this.table.set(0, PlayerWord.epoch, epoch);
    return this.shard.command({ ...command, v: 1, id, player: 'p', epoch, rev, ttlMs: 5_000 });
  }

  async create(epoch = 1): Promise<void> {
    await this.command({ op: 'create', body: createBody() }, epoch);
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

export function createBody(): Extract<CommandOp, { op: 'create' }>['body'] {
  return {
    session: 's',
    guild: '1',
    user: '2',
    row: 0,
    sender: 0,
    volume: 100,
    filters: {},
    paused: false,
    voice: null,
    seq: 0,
  };
}

export const play = (token = 'track', more: Partial<PlayBody> = {}): PlayBody => ({
  token,
  instance: 1,
  startMs: 0,
  endTimeMs: null,
  ...more,
});

export const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, n) => from + n);
