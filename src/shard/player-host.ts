// What a player needs of its shard: the clock, the fill loop, the counters, and somebody to open tracks and voice
// connections and to take its events. shard.ts is that; tests run players on the same.
import type { PipelineSettings } from '../audio/pipeline.js';
import type { Clock } from '../shared/clock.js';
import type { ShardCounters } from '../shared/counters.js';
import type { FilterMap, PlayBody, VoiceData } from '../shared/shard-commands.js';
import type { PlayerEvent } from '../shared/shard-events.js';
import type { Playback } from './playback.js';
import type { Player } from './player.js';
import type { Feed } from './voice/feed.js';
import type { VoiceLink } from './voice/voice-link.js';

export interface PlayerHost {
  readonly clock: Clock;
  readonly feed: Feed;
  readonly counters: ShardCounters;
  readonly trackStuckMs: number;
  /** Pause after which a track lets go of its source, milliseconds. */
  readonly parkMs: number;
  openPlayback(play: PlayBody, settings: PipelineSettings, changed: () => void): Playback;
  settings(volume: number, filters: FilterMap): PipelineSettings;
  /** `silent`: success is no event. Throws PUM_VOICE_FULL. */
  connect(player: Player, voice: VoiceData, silent: boolean): VoiceLink;
  emit(player: Player, event: PlayerEvent): void;
}
