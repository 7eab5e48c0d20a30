// Tracks for a load: as many as asked for, each with tones of its own, written to a folder that is kept for the
// next run of the same kind.
import { existsSync } from 'node:fs';
import { mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeAs } from '../test/support/fixtures.js';
import type { Pcm } from '../test/support/signal.js';

export type TrackFormat = 'opus' | 'mp3';

/** More contents than that are not made: further tracks have addresses of their own, and sound like others. */
const MAX_CONTENTS = 100;
/** Of all contents together, for making and holding long ones has its price. */
const MAX_SECONDS = 6_000;

/** Different contents among tracks of that length. */
export function contentsOf(seconds: number): number {
  return Math.max(1, Math.min(MAX_CONTENTS, Math.floor(MAX_SECONDS / seconds)));
}

/** The folder; `N.opus` or `N.mp3` for every N below `count` or contentsOf(seconds). */
export async function tracks(format: TrackFormat, count: number, seconds: number): Promise<string> {
  const folder = join(tmpdir(), `pumice-bench-tracks-${String(seconds)}`);
  await mkdir(folder, { recursive: true });
  for (let n = 0; n < Math.min(count, contentsOf(seconds)); n++) {
    const path = join(folder, `${String(n)}.${format}`);
    if (existsSync(path)) continue;
    const bytes = encodeAs(format === 'opus' ? 'oggOpus' : 'mp3', tones(n, seconds, format));
    // Renamed when it is whole, so that a run that was broken off leaves no half track.
    await writeFile(`${path}.${String(process.pid)}`, bytes);
    await rename(`${path}.${String(process.pid)}`, path);
  }
  return folder;
}

/** Of the first so many tracks of a folder, on average: what their encoder made of the bit rate it was asked for. */
export async function bytesPerSecond(
  folder: string,
  format: TrackFormat,
  count: number,
  seconds: number,
): Promise<number> {
  const contents = Math.min(count, contentsOf(seconds));
  const paths = Array.from({ length: contents }, (_, n) => join(folder, `${String(n)}.${format}`));
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  return sizes.reduce((sum, size) => sum + size, 0) / (contents * seconds);
}

/** Chords that differ from track to track and from side to side, with a slow swell: nothing an encoder can skip. */
function tones(n: number, seconds: number, format: TrackFormat): Pcm {
  const rate = format === 'opus' ? 48_000 : 44_100;
  const side = (root: number): Float32Array =>
    Float32Array.from({ length: seconds * rate }, (_, i) => {
      const x = (2 * Math.PI * i) / rate;
      const swell = 0.7 + 0.3 * Math.sin(x * 0.5);
      return (
        0.25 *
        swell *
        (Math.sin(x * root) + 0.5 * Math.sin(x * root * 2.51) + 0.25 * Math.sin(x * root * 5.03))
      );
    });
  return { rate, channels: [side(180 + 7 * n), side(203 + 7 * n)] };
}
