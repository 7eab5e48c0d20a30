// One guild's player in a shard: the commands of its client in the order of lavalink-v4.md §1.4, its voice
// connection, and a deck with the track that is played into it. Commands come from shard.ts, frames are asked
// for by the fill loop, both in this thread.
import type { GiveUp, VoiceClose } from './voice/driver.js';
import type { Fed } from './voice/feed.js';
import type { PipelineSettings } from '../audio/pipeline.js';
import type { Timer } from '../shared/clock.js';
import { ServerError } from '../shared/errors.js';
import type { Inspection } from '../shared/inspection.js';
import type {
  AdoptBody,
  CreateBody,
  FilterMap,
  UpdateBody,
  UpdateReply,
  VoiceData,
} from '../shared/shard-commands.js';
import type { RowPlace } from '../shared/sent-row.js';
import type { PlayerEvent } from '../shared/shard-events.js';
import { Deck } from './deck.js';
import { Outgoing } from './outgoing.js';
import { PatchOrder } from './patch-order.js';
import type { PlayerHost } from './player-host.js';
import type { PlayerRow } from './player-row.js';

/** Five silence frames on the grid of 20 ms, and what a busy thread may be late. */
const SILENCE_MS = 7 * 20;

export class Player implements Fed {
  readonly id: string;
  readonly session: string;
  readonly guild: string;
  readonly user: string;
  readonly epoch: number;
  /** Number of the sender that sends for it. */
  readonly sender: number;
  /** Number of the last event; goes on across placements. */
  seq: number;
  /** Revision of the last command taken. */
  rev = -1;
  readonly #host: PlayerHost;
  readonly #row: PlayerRow;
  readonly #out = new Outgoing();
  readonly #deck: Deck;
  readonly #order = new PatchOrder();
  #volume: number;
  #filters: FilterMap;
  #paused: boolean;
  /** Runs until what a dead placement has sealed is sent. */
  #rejoin: Timer | null = null;
  /** Destroyed or released: a command that waited meanwhile has nobody to act on. */
  #gone = false;

  constructor(id: string, epoch: number, body: CreateBody, host: PlayerHost, row: PlayerRow) {
    this.id = id;
    this.epoch = epoch;
    this.session = body.session;
    this.guild = body.guild;
    this.user = body.user;
    this.sender = body.sender;
    this.seq = body.seq;
    this.#host = host;
    this.#row = row;
    this.#deck = new Deck({
      host,
      row,
      out: this.#out,
      emit: (event) => {
        this.#emit(event);
      },
      wake: () => {
        if (!this.#paused) host.feed.want(this);
      },
    });
    this.#volume = body.volume;
    this.#filters = body.filters;
    this.#paused = body.paused;
    row.setPing(-1);
    this.#showFlags();
  }

  /** Where its row is, for whoever sends its frames. */
  get rowPlace(): RowPlace {
    return this.#row.place;
  }

  get isPlaying(): boolean {
    return this.#deck.hasTrack && !this.#paused;
  }

  get isConnected(): boolean {
    return this.#out.connected;
  }

  // ---- Commands ----

  /**
   * Goes on for a dead placement, without waiting and without an event for what it sets up. What that has sealed is
   * heard only until somebody identifies anew: so nobody does before it is sent. Throws PUM_VOICE_FULL.
   */
  adopt({ playing, voice }: AdoptBody): void {
    if (playing) this.#deck.adopt(playing, this.#settings(), this.#paused);
    const drainedIn = playing ? -playing.silentMs : 0;
    if (voice && drainedIn > 0) {
      this.#rejoin = this.#host.clock.after(drainedIn, () => {
        this.#joinLate(voice);
      });
    } else if (voice) {
      this.#out.open(this.#host.connect(this, voice, true));
    }
    this.#showFlags();
  }

  /** One PATCH. Rejects with PUM_VOICE_FAILED; then nothing after the voice part was applied. */
  async update(body: UpdateBody): Promise<UpdateReply> {
    if (this.#gone) throw new ServerError('PUM_COMMAND_STALE');
    const number = this.#order.enter(body);
    if (body.voice) {
      await this.#join(body.voice);
      // A command that waited for voice has nothing to say to a player that is gone.
      if (this.#gone) throw new ServerError('PUM_COMMAND_STALE');
    }
    this.#apply(this.#order.rest(body, number));
    this.#showFlags();
    return { connected: this.#out.connected };
  }

  /** Ends track and voice with their events, in between the silence that tells listeners of the end. */
  async destroy(): Promise<void> {
    this.#gone = true;
    const sounding = this.isPlaying && this.#out.connected;
    this.#deck.end('stopped');
    if (sounding) await this.#silence();
    const wasConnected = this.#out.connected;
    this.#leave();
    if (wasConnected) this.#emit({ type: 'voiceClosed', code: 1000, reason: '', byRemote: false });
  }

  /** Ends everything without an event. */
  release(): void {
    this.#gone = true;
    this.#deck.drop();
    this.#leave();
  }

  /** What is known of it now, from the source to the ring; changes nothing. */
  inspect(): Inspection {
    return { paused: this.#paused, ...this.#deck.inspect(), ...this.#out.inspect() };
  }

  #apply({ paused, volume, positionMs, endTimeMs, filters, track }: UpdateBody): void {
    if (paused !== undefined && track === undefined) this.#setPaused(paused);
    if (volume !== undefined && volume !== this.#volume) {
      this.#volume = volume;
      this.#deck.reconfigure(this.#settings());
    }
    if (track === undefined) {
      if (positionMs !== undefined) this.#deck.seek(positionMs, this.#paused);
      if (endTimeMs !== undefined) this.#deck.setEnd(endTimeMs);
    }
    if (filters !== undefined) {
      this.#filters = filters;
      this.#deck.reconfigure(this.#settings());
    }
    if (track !== undefined) {
      if (paused !== undefined) this.#paused = paused;
      if (track) this.#deck.play(track, this.#settings(), this.#paused);
      else this.#deck.end('stopped');
    }
  }

  #setPaused(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    if (paused) {
      this.#host.feed.drop(this);
      this.#deck.pause();
    } else {
      this.#deck.resume();
    }
  }

  // ---- The fill loop ----

  runsOutAt(): number {
    return this.#out.runsOutAt();
  }

  refillAt(): number {
    return this.#out.refillAt(this.#host.clock.now());
  }

  feedOne(): boolean {
    try {
      if (this.#paused || !this.#out.connected) return false;
      return !this.#out.hasRoom || this.#deck.feed();
    } catch (thrown) {
      this.#deck.crash(thrown);
      return false;
    }
  }

  // ---- What the voice link tells (never from inside a call of ours) ----

  voiceReady(silent: boolean): void {
    if (silent) this.#showFlags();
    if (!silent) this.#emit({ type: 'voiceReady' });
    this.#deck.resume();
  }

  voiceFailed(): void {
    this.#deck.lost();
    this.#showFlags();
  }

  voiceClosed(close: VoiceClose): void {
    this.voiceFailed();
    this.#emit({ type: 'voiceClosed', code: close.code, reason: close.reason, byRemote: close.byRemote });
  }

  frameSent(at: number): void {
    try {
      this.#deck.sent(at);
    } catch (thrown) {
      this.#deck.crash(thrown);
    }
  }

  frameGivenUp(at: number, why: GiveUp): void {
    try {
      this.#deck.givenUp(at, why);
    } catch (thrown) {
      this.#deck.crash(thrown);
    }
  }

  frameMissed(isBlocked: boolean): void {
    if (!this.#paused) this.#deck.missed(isBlocked);
  }

  /** Called every half second or so: what only the passing of time can tell. */
  watch(now: number): void {
    this.#row.setPing(this.#out.ping);
    this.#showFlags();
    try {
      this.#deck.watch(now, this.#out.connected, this.#paused);
    } catch (thrown) {
      this.#deck.crash(thrown);
    }
  }

  // ---- Voice ----

  async #join(voice: VoiceData): Promise<void> {
    const wasConnected = this.#out.connected;
    this.#deck.leave();
    this.#leave();
    if (wasConnected) this.#emit({ type: 'voiceClosed', code: 1000, reason: '', byRemote: false });
    const link = this.#host.connect(this, voice, false);
    this.#out.open(link);
    await link.settled;
  }

  #joinLate(voice: VoiceData): void {
    try {
      this.#out.open(this.#host.connect(this, voice, true));
    } catch (thrown) {
      const { message } = ServerError.from(thrown, 'PUM_VOICE_FULL');
      this.voiceClosed({ code: 1006, reason: message, byRemote: false, beforeReady: true });
    }
  }

  #silence(): Promise<void> {
    return new Promise((resolve) => {
      this.#host.clock.after(SILENCE_MS, resolve);
    });
  }

  #leave(): void {
    this.#rejoin?.cancel();
    this.#out.close();
    this.#host.feed.drop(this);
    this.#showFlags();
  }

  #settings(): PipelineSettings {
    return this.#host.settings(this.#volume, this.#filters);
  }

  #showFlags(): void {
    this.#row.setFlags({
      connected: this.#out.connected,
      hasTrack: this.#deck.hasTrack,
      paused: this.#paused,
      passthrough: this.#deck.passesThrough,
    });
  }

  /** Every change of the flags but pause and loss is an event. */
  #emit(event: PlayerEvent): void {
    this.#showFlags();
    this.#host.emit(this, event);
  }
}
