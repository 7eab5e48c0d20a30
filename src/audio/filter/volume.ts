// The two volumes: Lavalink's `filters.volume` and the player volume, each with the curve that Lavalink has
// (lavalink-v4.md §4.3 and §4.4). Used by the chain and the pipeline in shards.
import { ServerError } from '../../shared/errors.js';
import type { Filter } from './filter.js';

/** Below this distance from 1 the filter is not there at all. */
const FILTER_DEAD_BAND = 0.02;
const MAX_FILTER_VOLUME = 5;

/** Multiplier of `filters.volume`; its steps are not those of the player volume (24612 is upstream's). */
export function filterGain(volume: number): number {
  return volume <= 1.5 ? Math.tan(0.79 * volume) : (24_612 * (100 * volume)) / 150 / 10_000;
}

/** null for no volume; throws PUM_DECODE_FAILED for one outside 0 to 5. */
export function openVolumeFilter(settings: unknown): Filter | null {
  if (typeof settings !== 'number') return null;
  if (!(settings >= 0 && settings <= MAX_FILTER_VOLUME)) {
    // The protocol lets it pass and the track fail (decisions.md, D7).
    throw new ServerError('PUM_DECODE_FAILED', {}, new RangeError('volume is not between 0 and 5'));
  }
  if (Math.abs(1 - settings) < FILTER_DEAD_BAND) return null;
  return openGain(filterGain(settings));
}

/** Multiplier of the player volume, 0 to 1000 per cent; 100 is identity, whatever the curve says there. */
export function playerGain(volume: number): number {
  if (volume === 100) return 1;
  const clamped = Math.min(1_000, Math.max(0, Math.round(volume)));
  const scaled = clamped <= 150 ? Math.tan(clamped * 0.0079) * 10_000 : (24_621 * clamped) / 150;
  return Math.trunc(scaled) / 10_000;
}

/** Multiplies and clamps to full scale, where upstream's integers would wrap round. */
export function openGain(gain: number): Filter | null {
  if (gain === 1) return null;
  return {
    process(pcm, from, samples) {
      const end = (from + samples) * 2;
      for (let i = from * 2; i < end; i++) {
        const scaled = (pcm[i] ?? 0) * gain;
        pcm[i] = scaled > 1 ? 1 : scaled < -1 ? -1 : scaled;
      }
    },
  };
}
