// The messages a client gets over its WebSocket, as text: fields and their order are lavalink-v4.md §2.2.
// Pure; called by the session on the main thread.
import { writeJson } from '../../shared/json.js';
import { liveTrackJson, playerStateJson } from '../player-json.js';
import type { Outgoing, Player } from '../player.js';
import type { StatsReport } from '../stats.js';
import { exceptionJson } from './exception.js';

export type MessageOp = 'ready' | 'playerUpdate' | 'stats' | 'event';

export interface OutMessage {
  readonly op: MessageOp;
  readonly text: string;
}

export function readyMessage(resumed: boolean, sessionId: string): OutMessage {
  return message('ready', { resumed, sessionId });
}

/** `time` is epoch milliseconds. */
export function playerUpdateMessage(player: Player, time: number): OutMessage {
  return message('playerUpdate', { state: playerStateJson(player, time), guildId: player.guild });
}

export function statsMessage(stats: StatsReport): OutMessage {
  return message('stats', stats);
}

/** What the record says is owed to the client. */
export function outgoingMessage(player: Player, outgoing: Outgoing, time: number): OutMessage {
  switch (outgoing.kind) {
    case 'update':
      return playerUpdateMessage(player, time);
    case 'trackStart':
      return event('TrackStartEvent', player, { track: trackOf(outgoing) });
    case 'trackEnd':
      return event('TrackEndEvent', player, { track: trackOf(outgoing), reason: outgoing.reason });
    case 'trackException':
      return event('TrackExceptionEvent', player, {
        track: trackOf(outgoing),
        exception: exceptionJson(outgoing.error),
      });
    case 'trackStuck':
      return event('TrackStuckEvent', player, {
        track: trackOf(outgoing),
        thresholdMs: outgoing.thresholdMs,
      });
    case 'webSocketClosed':
      return event('WebSocketClosedEvent', player, {
        code: outgoing.code,
        reason: outgoing.reason,
        byRemote: outgoing.byRemote,
      });
  }
}

function trackOf(outgoing: Extract<Outgoing, { positionMs: number }>): object {
  return liveTrackJson(outgoing.track, outgoing.positionMs);
}

function event(type: string, player: Player, fields: object): OutMessage {
  return message('event', { type, guildId: player.guild, ...fields });
}

function message(op: MessageOp, fields: object): OutMessage {
  return { op, text: writeJson({ op, ...fields }) };
}
