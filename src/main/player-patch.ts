// The change of a player, steps 7 to 16 of lavalink-v4.md §1.4, as commands to its shard. Called by the
// handler of PATCH player on the main thread, with a body that was checked already.
import { ServerError } from '../shared/errors.js';
import type { UpdateBody, VoiceData } from '../shared/shard-commands.js';
import { loadIdentifier } from './load.js';
import type { Node } from './node.js';
import type { Player } from './player.js';
import type { PlayerChange } from './http/player-update.js';
import type { Session } from './session.js';
import type { TrackInstance } from './track-instance.js';

type Draft = { -readonly [K in keyof UpdateBody]: UpdateBody[K] };

export interface PatchRequest {
  readonly guild: string;
  readonly change: PlayerChange;
  readonly noReplace: boolean;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
}

/** Resolves with the player as it is after the last command was acknowledged. */
export async function patchPlayer(node: Node, session: Session, request: PatchRequest): Promise<Player> {
  const { guild, change, noReplace } = request;
  const { commandDeadline } = node.settings;
  const began = node.clock.now();
  await session.players.settled(guild);
  await session.players.returned(guild, commandDeadline);
  const ttlMs = Math.max(1, commandDeadline - (node.clock.now() - began));
  const { player, created } = session.players.getOrCreate(guild);
  const keepsTrack = change.track === null || (noReplace && player.hasTrack);
  const draft = settingsOf(player, change);
  if (change.track === null) addToCurrentTrack(draft, player, change);
  if (!keepsTrack) draft.paused = change.paused ?? false; // A new track un-pauses.

  let failure: ServerError | null = null;
  let track: TrackInstance | null = null;
  if (!keepsTrack && change.track?.kind === 'stop') draft.track = null;
  if (!keepsTrack && change.track?.kind === 'encoded') {
    try {
      track = newTrack(player, change.track.token, change);
      draft.track = track.body;
    } catch (error) {
      // As in Lavalink everything else has been applied by the time the token is found to be damaged.
      failure = ServerError.from(error, 'PUM_TOKEN_INVALID', { reason: 'unreadable' });
    }
  }
  const connecting = change.voice !== null && draft.voice === undefined ? player.connecting : null;
  const sent = Promise.all([connecting, send(session, player, { draft, track, ttlMs })]);
  sent.catch(() => undefined);
  // A shard that has not taken the player refuses the rest for that reason alone.
  await created;
  await sent;
  if (failure) throw failure;

  if (!keepsTrack && change.track?.kind === 'identifier') {
    const token = await find(node, change.track.identifier, request.signal);
    if (session.players.get(guild) !== player) throw new ServerError('PUM_PLAYER_NOT_FOUND');
    const loaded = newTrack(player, token, change);
    await send(session, player, { draft: { track: loaded.body }, track: loaded, ttlMs: commandDeadline });
  }
  return player;
}

/** Steps 8, 11 and 14: what is applied whatever becomes of the track. */
function settingsOf(player: Player, change: PlayerChange): Draft {
  const draft: Draft = {};
  if (change.voice !== null && needsConnection(player, change.voice)) draft.voice = change.voice;
  if (change.volume !== null) draft.volume = change.volume;
  if (change.filters !== null) draft.filters = change.filters;
  return draft;
}

/** Steps 9, 10, 12 and 13: what touches the present track because no other one is asked for. */
function addToCurrentTrack(draft: Draft, player: Player, change: PlayerChange): void {
  if (change.paused !== null) draft.paused = change.paused;
  const track = player.latest;
  if (track === null) return;
  if (change.userData !== null) track.userData = change.userData;
  // A stream cannot be sought in: the request is ignored, as in Lavalink.
  const seekable = track.track.info.isSeekable;
  if (change.positionMs !== null && seekable) draft.positionMs = change.positionMs;
  if (change.endTimeMs !== null) draft.endTimeMs = change.endTimeMs;
}

/** Equal voice data is no reason to connect again, unless the gateway is gone. */
function needsConnection(player: Player, voice: VoiceData): boolean {
  const present = player.askedVoice;
  if (present === null || player.voiceState === 'closed' || player.voiceState === 'none') return true;
  return (
    present.token !== voice.token ||
    present.endpoint !== voice.endpoint ||
    present.sessionId !== voice.sessionId ||
    present.channelId !== voice.channelId
  );
}

function newTrack(player: Player, token: string, change: PlayerChange): TrackInstance {
  const body = { token, startMs: change.positionMs ?? null, endTimeMs: change.endTimeMs };
  return player.newInstance(body, change.userData ?? {});
}

interface Sending {
  readonly draft: Draft;
  /** The instance whose body is in the draft. */
  readonly track: TrackInstance | null;
  readonly ttlMs: number;
}

async function send(session: Session, player: Player, { draft, track, ttlMs }: Sending): Promise<void> {
  if (Object.keys(draft).length === 0) return;
  await session.players.commands.update(player, draft, track, ttlMs);
  const sought = draft.positionMs !== undefined && player.current !== null;
  // Nothing follows a DELETE that was faster.
  const isThere = session.players.get(player.guild) === player;
  if (isThere && (sought || draft.filters !== undefined)) session.update(player);
}

async function find(node: Node, identifier: string, signal: AbortSignal): Promise<string> {
  const outcome = await loadIdentifier(node, identifier, signal);
  switch (outcome.kind) {
    case 'track':
      return outcome.token;
    case 'empty':
      throw new ServerError('PUM_LOAD_NOTHING');
    case 'error':
      throw new ServerError('PUM_LOAD_FAILED', {}, ServerError.fromShape(outcome.error));
    case 'playlist':
    case 'search':
      throw new ServerError('PUM_LOAD_NOT_A_TRACK');
  }
}
