// A fleet without threads: it applies commands to its players as a shard would and raises the events a shard
// raises, in the same order and before the answer. Tests of the main thread steer it by hand.
import { PlayerFlag, PlayerWord } from '../../src/shared/counter-words.js';
import { PlayerTable, type PositionReading } from '../../src/shared/player-table.js';
import type { Clock } from '../../src/shared/clock.js';
import { ServerError } from '../../src/shared/errors.js';
import type { Inspection } from '../../src/shared/inspection.js';
import type { LoadOutcome, LoadService } from '../../src/shared/load.js';
import type {
  AdoptBody,
  CommandOp,
  CreateBody,
  PlayBody,
  UpdateBody,
} from '../../src/shared/shard-commands.js';
import type { EndReason, PlayerEvent } from '../../src/shared/shard-events.js';
import type {
  Fleet,
  FleetListener,
  Placement,
  SenderReport,
  ShardReport,
} from '../../src/main/dispatch/fleet.js';
import { soundInspection } from './inspections.js';

export interface FakePlayer {
  readonly placement: Placement;
  session: string;
  seq: number;
  created: boolean;
  current: PlayBody | null;
  volume: number;
  paused: boolean;
  filters: unknown;
  connected: boolean;
}

export interface SentCommand {
  readonly player: string;
  readonly epoch: number;
  readonly command: CommandOp;
}

export class FakeFleet implements Fleet {
  readonly players = new Map<string, FakePlayer>();
  readonly sent: SentCommand[] = [];
  readonly released: string[] = [];
  readonly shards: number;
  ready = true;
  listener: FleetListener | null = null;
  /** What `loader` answers. */
  outcome: LoadOutcome | ((identifier: string, signal: AbortSignal) => Promise<LoadOutcome>) = {
    kind: 'empty',
  };
  /** Errors for the next commands of an operation, each used once. */
  readonly failNext = new Map<CommandOp['op'], ServerError[]>();
  /** What a shard says when it is asked what it knows of a player. */
  inspection: Inspection = soundInspection();
  senderReports: readonly SenderReport[] = [];
  /** What the gateway's ping is right after a connection; -1: not known yet. */
  firstPing = 7;
  /** While set, answers wait; `open()` lets them go. */
  #gate: Promise<void> | null = null;
  #openGate: () => void = () => undefined;
  readonly #clock: Clock;
  readonly #table = new PlayerTable();
  readonly #up: boolean[];
  #nextRow = 0;
  #epoch = 0;
  #tag = 0;

  readonly loader: LoadService = {
    load: (identifier, signal) => {
      return typeof this.outcome === 'function'
        ? this.outcome(identifier, signal)
        : Promise.resolve(this.outcome);
    },
  };

  constructor(clock: Clock, shards = 2) {
    this.#clock = clock;
    this.shards = shards;
    this.#up = Array.from({ length: shards }, () => true);
  }

  isUp(shard: number): boolean {
    return this.#up[shard] === true;
  }

  place(player: string): Placement {
    const shard = this.#up.indexOf(true);
    if (shard === -1) throw new ServerError('PUM_NO_SHARD');
    return this.#register(player, shard, this.#nextRow++);
  }

  replace(player: string, old: Placement): Placement {
    if (this.#up[old.shard] !== true) throw new ServerError('PUM_NO_SHARD');
    return this.#register(player, old.shard, old.row);
  }

  release(player: string, placement: Placement): void {
    if (this.players.get(player)?.placement.epoch === placement.epoch) this.players.delete(player);
    this.released.push(player);
  }

  async command(player: string, placement: Placement, command: CommandOp, _ttlMs: number): Promise<unknown> {
    this.sent.push({ player, epoch: placement.epoch, command });
    const failure = this.failNext.get(command.op)?.shift();
    if (failure) throw failure;
    const record = this.players.get(player);
    if (this.#up[placement.shard] !== true || record === undefined) throw new ServerError('PUM_SHARD_GONE');
    if (record.placement.epoch !== placement.epoch) throw new ServerError('PUM_COMMAND_STALE');
    const reply = this.#apply(player, record, command);
    // Events have been raised; the answer comes in a later turn, as over a port.
    await (this.#gate ?? Promise.resolve());
    if (this.#up[placement.shard] !== true || this.players.get(player) !== record) {
      throw new ServerError('PUM_SHARD_GONE');
    }
    return reply;
  }

  position(placement: Placement): PositionReading {
    return this.#table.readPosition(placement.row);
  }

  sealed(placement: Placement): number {
    return this.#table.readSealed(placement.row);
  }

  word(placement: Placement, word: number): number {
    return this.#table.get(placement.row, word);
  }

  pulseAge(shard: number): number | null {
    return this.isUp(shard) ? 0 : null;
  }

  senders(): readonly SenderReport[] {
    return this.senderReports;
  }

  reports(): readonly ShardReport[] {
    return this.#up.map((up, shard) => ({
      shard,
      up,
      restarts: 0,
      inFlight: 0,
      busy: 0,
      players: 0,
      playing: 0,
      voiceConnections: 0,
      sent: { passthrough: 10 * (shard + 1), encoded: 1, silence: 2 },
      missed: 3,
      starved: 0,
      heapUsed: 1_000,
      external: 500,
      lateness: [4, 3, 2, 1, 0, 0, 0, 0, 1],
      maxLatenessMs: 500,
    }));
  }

  drain(): Promise<void> {
    this.#up.fill(false);
    this.ready = false;
    return Promise.resolve();
  }

  /** Holds every answer back until `open`. */
  hold(): void {
    this.#gate = new Promise((resolve) => {
      this.#openGate = resolve;
    });
  }

  open(): void {
    this.#gate = null;
    this.#openGate();
  }

  /** Raises an event of the shard now. */
  raise(player: string, body: PlayerEvent): void {
    const record = this.players.get(player);
    if (record === undefined) throw new Error(`no player ${player}`);
    const { epoch } = record.placement;
    this.listener?.event({ v: 1, player, session: record.session, epoch, seq: ++record.seq, body });
  }

  /** The current track of a player ends by itself. */
  end(player: string, reason: EndReason, positionMs = 1_000): void {
    const record = this.players.get(player);
    if (record?.current) this.#end(player, record, reason, positionMs);
  }

  setPosition(player: string, positionMs: number): void {
    this.#begin(this.#row(player), positionMs, this.#clock.now());
  }

  /** What lies in the player's ring ends there. */
  setSealed(player: string, endMs: number): void {
    this.#table.setSealed(this.#row(player), this.#tag, endMs);
  }

  setWord(player: string, word: number, value: number): void {
    this.#table.set(this.#row(player), word, value);
  }

  die(shard: number): void {
    this.#up[shard] = false;
    this.listener?.shardDied(shard);
  }

  revive(shard: number): void {
    this.#up[shard] = true;
    this.listener?.shardReady(shard);
  }

  #register(player: string, shard: number, row: number): Placement {
    const placement = { node: 'test', shard, epoch: ++this.#epoch, row, sender: 0 };
    this.#table.reset(row);
    this.#table.set(row, PlayerWord.pingMs, -1);
    this.players.set(player, {
      placement,
      session: '',
      seq: 0,
      created: false,
      current: null,
      volume: 100,
      paused: false,
      filters: {},
      connected: false,
    });
    return placement;
  }

  #apply(player: string, record: FakePlayer, command: CommandOp): unknown {
    switch (command.op) {
      case 'create':
        this.#create(record, command.body);
        return null;
      case 'adopt':
        this.#create(record, command.body);
        this.#goOn(record, command.body);
        return null;
      case 'update':
        if (!record.created) throw new ServerError('PUM_SHARD_GONE');
        this.#update(player, record, command.body);
        return { connected: record.connected };
      case 'destroy':
        this.#end(player, record, 'stopped', this.#position(record));
        if (record.connected) this.#disconnect(player, record);
        return null;
      case 'release':
        return null;
      case 'inspect':
        return this.inspection;
    }
  }

  #create(record: FakePlayer, body: CreateBody): void {
    record.created = true;
    record.session = body.session;
    record.seq = body.seq;
    record.volume = body.volume;
    record.paused = body.paused;
    record.filters = body.filters;
    if (body.voice) this.#connect(record);
  }

  /** No event: all of it was told by the shard that died. */
  #goOn(record: FakePlayer, { playing }: AdoptBody): void {
    if (!playing) return;
    const { play, silentMs } = playing;
    record.current = play;
    this.#table.set(record.placement.row, PlayerWord.instance, play.instance);
    this.#begin(record.placement.row, play.startMs, this.#clock.now() - silentMs);
  }

  #update(player: string, record: FakePlayer, body: UpdateBody): void {
    if (body.voice) {
      if (record.connected) this.#disconnect(player, record);
      this.#connect(record);
      this.raise(player, { type: 'voiceReady' });
    }
    if (body.paused !== undefined) record.paused = body.paused;
    if (body.volume !== undefined) record.volume = body.volume;
    if (body.filters !== undefined) record.filters = body.filters;
    if (body.positionMs !== undefined && record.current) {
      this.#begin(record.placement.row, body.positionMs, this.#clock.now());
    }
    if (body.track === null) this.#end(player, record, 'stopped', this.#position(record));
    else if (body.track) this.#start(player, record, body.track);
  }

  #start(player: string, record: FakePlayer, track: PlayBody): void {
    this.#end(player, record, 'replaced', this.#position(record));
    record.current = track;
    this.#table.set(record.placement.row, PlayerWord.instance, track.instance);
    this.#begin(record.placement.row, track.startMs, this.#clock.now());
    this.raise(player, { type: 'trackStart', instance: track.instance });
  }

  #end(player: string, record: FakePlayer, reason: EndReason, positionMs: number): void {
    const { current } = record;
    if (current === null) return;
    record.current = null;
    this.raise(player, { type: 'trackEnd', instance: current.instance, reason, positionMs });
  }

  #connect(record: FakePlayer): void {
    record.connected = true;
    this.#table.set(record.placement.row, PlayerWord.flags, PlayerFlag.connected);
    this.#table.set(record.placement.row, PlayerWord.pingMs, this.firstPing);
  }

  #disconnect(player: string, record: FakePlayer): void {
    record.connected = false;
    this.#table.set(record.placement.row, PlayerWord.flags, 0);
    this.raise(player, { type: 'voiceClosed', code: 1000, reason: '', byRemote: false });
  }

  /** The source stands there; every such place has a tag of its own. */
  #begin(row: number, positionMs: number, at: number): void {
    this.#table.setBase(row, ++this.#tag, positionMs, at);
  }

  #position(record: FakePlayer): number {
    return this.#table.readPosition(record.placement.row).positionMs;
  }

  #row(player: string): number {
    const record = this.players.get(player);
    if (record === undefined) throw new Error(`no player ${player}`);
    return record.placement.row;
  }
}
