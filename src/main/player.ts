// Main's record of one player: what the acknowledged commands and the shard's events say about it. It
// decides which events a client is still owed, each exactly once, whatever becomes of the shard. Called by
// the session and the commands on the main thread; it sends nothing and waits for nothing.
import { PlayerFlag, PlayerWord } from '../shared/counter-words.js';
import { ServerError } from '../shared/errors.js';
import type { FilterMap, UpdateBody, VoiceData } from '../shared/shard-commands.js';
import type { EventEnvelope, PlayerEvent } from '../shared/shard-events.js';
import { SNAPSHOT_VERSION, type PlayerSnapshot, type SnapshotPosition } from '../shared/snapshot.js';
import type { Clock } from '../shared/clock.js';
import { writeJson } from '../shared/json.js';
import type { Fleet, Placement } from './dispatch/fleet.js';
import { FrameHistory } from './frame-stats.js';
import { PlayerQuality } from './quality.js';
import { TrackInstance, type NewTrack, type UserData } from './track-instance.js';

/** What the client is to be sent, in this order. */
export type Outgoing =
  | { readonly kind: 'trackStart'; readonly track: TrackInstance; readonly positionMs: number }
  | {
      readonly kind: 'trackEnd';
      readonly track: TrackInstance;
      readonly positionMs: number;
      readonly reason: string;
    }
  | {
      readonly kind: 'trackException';
      readonly track: TrackInstance;
      readonly positionMs: number;
      readonly error: ServerError;
    }
  | {
      readonly kind: 'trackStuck';
      readonly track: TrackInstance;
      readonly positionMs: number;
      readonly thresholdMs: number;
    }
  | {
      readonly kind: 'webSocketClosed';
      readonly code: number;
      readonly reason: string;
      readonly byRemote: boolean;
    }
  | { readonly kind: 'update' };

/** `closed`: there was a connection and its gateway is gone, so equal voice data means connect again. */
export type VoiceState = 'none' | 'connecting' | 'open' | 'closed';

type OrderedField = 'voice' | 'paused' | 'volume' | 'filters' | 'endTimeMs';

const DEFAULT_VOLUME = 100;

/** What a client reads of a voice connection that the replacement of a shard could not make again. */
const NOT_ADOPTED = {
  code: 1006,
  reason: 'the connection was lost with its shard',
  byRemote: false,
} as const;

export interface PlayerOwner {
  readonly session: string;
  readonly guild: string;
}

export class Player {
  /** Unique on this node; the name under which the fleet knows the player. */
  readonly id: string;
  readonly guild: string;
  readonly frames = new FrameHistory();
  readonly quality: PlayerQuality;
  placement: Placement;
  /** Its shard died and no replacement has taken it over yet. */
  lost = false;
  volume = DEFAULT_VOLUME;
  filters: FilterMap = {};
  paused = false;
  voice: VoiceData | null = null;
  voiceState: VoiceState = 'none';
  /** The voice data last sent to the shard, acknowledged or not. */
  askedVoice: VoiceData | null = null;
  /** The shard's answer to that data while it is awaited. */
  connecting: Promise<unknown> | null = null;
  current: TrackInstance | null = null;
  seq = 0;
  readonly #fleet: Fleet;
  readonly #clock: Clock;
  /** Instances whose end has not been seen: the current one and those still on their way to the shard. */
  readonly #instances = new Map<number, TrackInstance>();
  readonly #pending = new Set<TrackInstance>();
  readonly #applied = new Map<OrderedField, number>();
  readonly #sent = { start: 0, exception: 0, stuck: 0, end: 0 };
  #lastInstance = 0;
  #order = 0;

  constructor(owner: PlayerOwner, fleet: Fleet, clock: Clock) {
    this.id = `${owner.session}:${owner.guild}`;
    this.guild = owner.guild;
    this.#fleet = fleet;
    this.#clock = clock;
    this.placement = fleet.place(this.id);
    this.quality = new PlayerQuality(clock, (word) => this.#word(word));
  }

  /** Whether a track is loaded or on its way: what `noReplace` asks. */
  get hasTrack(): boolean {
    return this.current !== null || this.#pending.size > 0;
  }

  /** The track that a later command finds loaded: the last one on its way, else the current one. */
  get latest(): TrackInstance | null {
    return [...this.#pending].at(-1) ?? this.current;
  }

  get isPlaying(): boolean {
    return this.current !== null && !this.paused;
  }

  /** Lost with a voice connection that its replacement is to make again. */
  get awaitsVoice(): boolean {
    return this.voice !== null && this.voiceState === 'connecting';
  }

  get connected(): boolean {
    return !this.lost && (this.#word(PlayerWord.flags) & PlayerFlag.connected) !== 0;
  }

  /** Milliseconds: 0 until the gateway has answered a heartbeat, -1 while there is none. */
  get ping(): number {
    return this.connected ? Math.max(0, this.#word(PlayerWord.pingMs)) : -1;
  }

  /** Source position of the current track in milliseconds, 0 without one. */
  get positionMs(): number {
    const track = this.current;
    if (track === null) return 0;
    this.#look(track);
    // What a dead shard had sealed is still sent when its replacement goes on behind it, at a time to come.
    const ahead = track.seenAt === null ? 0 : Math.max(0, track.seenAt - this.#clock.now());
    return Math.max(0, Math.trunc(track.seenMs - ahead));
  }

  /** A new playing of a track, to be sent to the shard. */
  newInstance(body: NewTrack, userData: UserData): TrackInstance {
    const track = new TrackInstance(++this.#lastInstance, body, userData);
    this.#instances.set(track.number, track);
    this.#pending.add(track);
    return track;
  }

  /**
   * The command that bore the track was answered, or failed. After a failure that leaves open whether the
   * shard will still execute it (`doubtful`) a late start is believed, else the track is forgotten.
   */
  settled(track: TrackInstance, outcome: 'taken' | 'doubtful' | 'refused'): void {
    this.#pending.delete(track);
    if (outcome === 'refused' && this.current !== track) this.#instances.delete(track.number);
  }

  /** A number for a command about to be sent; `acknowledged` takes it back. */
  nextOrder(): number {
    return ++this.#order;
  }

  /** The shard executed a command; a field set by a later command that was answered earlier stays. */
  acknowledged(order: number, body: UpdateBody, connected: boolean): void {
    const isNewest = (name: OrderedField): boolean => {
      if (order < (this.#applied.get(name) ?? 0)) return false;
      this.#applied.set(name, order);
      return true;
    };
    if (body.voice !== undefined && isNewest('voice')) {
      this.voice = body.voice;
      this.voiceState = connected ? 'open' : 'connecting';
    }
    if (body.paused !== undefined && isNewest('paused')) this.#setPaused(body.paused);
    if (body.volume !== undefined && isNewest('volume')) this.volume = body.volume;
    if (body.filters !== undefined && isNewest('filters')) this.filters = body.filters;
    if (body.endTimeMs !== undefined && body.track === undefined && isNewest('endTimeMs')) {
      if (this.current) this.current.endTimeMs = body.endTimeMs;
    }
  }

  /** What an event of the shard means for the client; nothing for one that is late, repeated or not ours. */
  receive(envelope: EventEnvelope): readonly Outgoing[] {
    if (this.lost || envelope.epoch !== this.placement.epoch || envelope.seq <= this.seq) return [];
    this.seq = envelope.seq;
    return this.#interpret(envelope.body);
  }

  /**
   * The shard died: the replacement goes on with its track (decision D13). What was on its way comes too late,
   * and a track whose failure was told is over: its end went down with the shard.
   */
  shardDied(): readonly Outgoing[] {
    const track = this.current;
    const positionMs = this.positionMs;
    this.#lose();
    this.quality.shardDied();
    if (track === null) return [];
    if (track.number > this.#sent.exception) {
      this.#instances.set(track.number, track);
      return [];
    }
    return this.#end(track, positionMs > track.startMs ? 'finished' : 'loadFailed', positionMs);
  }

  /**
   * The replacement answered that it has not taken the player over, or nothing: it is lost again, until the
   * next PATCH, and its track has ended. `withVoice`: it was to connect, and the client has to know that nobody
   * does (decision D14).
   */
  notAdopted(withVoice: boolean): readonly Outgoing[] {
    const owed = this.#endCurrent(this.positionMs);
    this.#lose();
    if (this.voice !== null) this.voiceState = 'closed';
    if (!withVoice) return owed;
    return [...owed, { kind: 'webSocketClosed', ...NOT_ADOPTED }, { kind: 'update' }];
  }

  /** A destroy that was not answered: the client is still owed the end of the track. */
  abandoned(): readonly Outgoing[] {
    const track = this.current;
    return track === null ? [] : this.#end(track, 'stopped', this.positionMs);
  }

  /** The replacement of the shard takes the player over. */
  adopted(placement: Placement): void {
    this.placement = placement;
    this.quality.moved();
    this.lost = false;
  }

  /** Whole at any moment. Of a lost player it has to be asked before the player is placed anew. */
  snapshot(): PlayerSnapshot {
    const track = this.current;
    return {
      v: SNAPSHOT_VERSION,
      guild: this.guild,
      track:
        track === null
          ? null
          : {
              token: track.token,
              userData: writeJson(track.userData),
              position: this.#reached(track),
              endTimeMs: track.endTimeMs,
              instance: track.number,
            },
      paused: this.paused,
      volume: this.volume,
      filters: this.filters,
      instance: this.#lastInstance,
      seq: this.seq,
      sent: { ...this.#sent },
      voice: this.voice,
      unknown: {},
    };
  }

  #interpret(event: PlayerEvent): readonly Outgoing[] {
    switch (event.type) {
      case 'voiceReady':
        this.voiceState = 'open';
        return [{ kind: 'update' }];
      case 'voiceClosed': {
        this.voiceState = 'closed';
        const { code, reason, byRemote } = event;
        return [{ kind: 'webSocketClosed', code, reason, byRemote }, { kind: 'update' }];
      }
      default: {
        const track = this.#instances.get(event.instance);
        return track === undefined ? [] : this.#ofTrack(track, event);
      }
    }
  }

  #ofTrack(
    track: TrackInstance,
    event: Exclude<PlayerEvent, { type: 'voiceReady' | 'voiceClosed' }>,
  ): readonly Outgoing[] {
    switch (event.type) {
      case 'trackStart':
        if (track.number <= this.#sent.start) return [];
        this.#sent.start = track.number;
        this.#begin(track);
        this.quality.started(track.track, this.paused);
        if (!this.paused) this.frames.started(this.#clock.now());
        return [{ kind: 'trackStart', track, positionMs: track.startMs }, { kind: 'update' }];
      case 'trackLength':
        if (event.lengthMs !== null) track.setLength(event.lengthMs);
        return [];
      case 'trackException':
        if (track !== this.current || track.number <= this.#sent.exception) return [];
        return this.#except(track, ServerError.fromShape(event.error), event.positionMs);
      case 'trackStuck':
        if (track !== this.current || track.number <= this.#sent.stuck) return [];
        this.#sent.stuck = track.number;
        return [
          { kind: 'trackStuck', track, positionMs: event.positionMs, thresholdMs: event.thresholdMs },
          { kind: 'update' },
        ];
      case 'trackEnd':
        return this.#end(track, event.reason, event.positionMs);
    }
  }

  #begin(track: TrackInstance): void {
    this.current = track;
    for (const number of this.#instances.keys()) {
      // A shard starts tracks in order: an earlier one that never started never will.
      if (number < track.number) this.#instances.delete(number);
    }
  }

  #end(track: TrackInstance, reason: string, positionMs: number): readonly Outgoing[] {
    this.#instances.delete(track.number);
    if (track !== this.current) return [];
    this.current = null;
    this.#sent.end = track.number;
    this.frames.stopped(this.#clock.now());
    this.quality.ended(reason);
    return [{ kind: 'trackEnd', track, positionMs, reason }];
  }

  #except(track: TrackInstance, error: ServerError, positionMs: number): readonly Outgoing[] {
    this.#sent.exception = track.number;
    return [{ kind: 'trackException', track, positionMs, error }];
  }

  /** Takes what the row says of a track; false until the shard has written its instance there, for it says nothing. */
  #look(track: TrackInstance): boolean {
    if (this.#word(PlayerWord.instance) !== track.number) return false;
    const { positionMs, at } = this.#fleet.position(this.placement);
    track.seenMs = Math.max(0, positionMs);
    track.seenAt = at;
    return true;
  }

  /** Where whoever takes over goes on: behind what the sender of a dead shard has still to send. */
  #reached(track: TrackInstance): SnapshotPosition {
    if (this.#look(track) && this.lost && !this.paused) {
      const ahead = Math.max(0, this.#fleet.sealed(this.placement) - track.seenMs);
      track.seenMs += ahead;
      if (track.seenAt !== null) track.seenAt += ahead;
    }
    const ageMs = track.seenAt === null ? 0 : this.#clock.now() - track.seenAt;
    return { sourceMs: Math.trunc(track.seenMs), ageMs };
  }

  #lose(): void {
    this.lost = true;
    this.#instances.clear();
    this.#pending.clear();
    if (this.voiceState === 'open') this.voiceState = 'connecting';
  }

  #endCurrent(positionMs: number): readonly Outgoing[] {
    const track = this.current;
    if (track === null) return [];
    const said = track.number <= this.#sent.exception;
    const error = new ServerError('PUM_TRACK_TERMINATED');
    const exception = said ? [] : this.#except(track, error, positionMs);
    return [...exception, ...this.#end(track, 'loadFailed', positionMs)];
  }

  #setPaused(paused: boolean): void {
    if (paused === this.paused) return;
    this.paused = paused;
    this.quality.paused(paused);
    if (this.current === null) return;
    if (paused) this.frames.stopped(this.#clock.now());
    else this.frames.started(this.#clock.now());
  }

  #word(word: number): number {
    return this.#fleet.word(this.placement, word);
  }
}
