// How a track and a player look in JSON: fields and their order are lavalink-v4.md §1.3. Main thread; plain
// objects for writeJson, which prints bigints exactly.
import { encodeTrack, probeInfoOf, withPosition } from '../shared/track-token.js';
import type { Track } from '../shared/track.js';
import type { Player } from './player.js';
import type { TrackInstance, UserData } from './track-instance.js';

/** A track as `encoded` says, with the token given: decoding echoes what it was asked. */
export function trackJson(encoded: string, track: Track, userData: UserData = {}): object {
  const { info } = track;
  const probeInfo = probeInfoOf(track);
  return {
    encoded,
    info: {
      identifier: info.identifier,
      isSeekable: info.isSeekable,
      author: info.author,
      length: info.length,
      isStream: info.isStream,
      position: info.position,
      title: info.title,
      uri: info.uri,
      sourceName: info.sourceName,
      artworkUrl: info.artworkUrl,
      isrc: info.isrc,
    },
    pluginInfo: probeInfo === null ? {} : { probeInfo },
    userData,
  };
}

/** A playing track, encoded again with the position it has now. */
export function liveTrackJson(instance: TrackInstance, positionMs: number): object {
  const track = withPosition(instance.track, BigInt(Math.max(0, Math.trunc(positionMs))));
  return trackJson(encodeTrack(track), track, instance.userData);
}

/** `time` is epoch milliseconds. */
export function playerStateJson(player: Player, time: number): object {
  return {
    time,
    position: player.positionMs,
    connected: player.connected,
    ping: player.ping,
  };
}

export function playerJson(player: Player, time: number): object {
  const { current, voice } = player;
  return {
    guildId: player.guild,
    track: current === null ? null : liveTrackJson(current, player.positionMs),
    volume: player.volume,
    paused: player.paused,
    state: playerStateJson(player, time),
    voice: {
      token: voice?.token ?? '',
      endpoint: voice?.endpoint ?? '',
      sessionId: voice?.sessionId ?? '',
      channelId: voice?.channelId ?? null,
    },
    filters: player.filters,
  };
}
