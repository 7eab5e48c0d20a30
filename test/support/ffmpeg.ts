// The ffmpeg program as an independent decoder to compare with. Only where it is installed: elsewhere a
// comparison is skipped with its reason, and under CI=true it fails.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pcm } from './signal.js';

/** Why a comparison with ffmpeg cannot be made, or false when it can. Throws under CI=true. */
export function withoutFfmpeg(): string | false {
  if (!spawnSync('ffmpeg', ['-version'], { timeout: 10_000 }).error) return false;
  if (process.env['CI'] === 'true') throw new Error('ffmpeg is not installed, and CI must compare with it');
  return 'ffmpeg is not installed';
}

export interface DecodeOptions {
  /** The file has one channel, which is given on both sides at its own level. */
  readonly mono?: boolean;
  /**
   * Cuts the codec's delay off where the container tells it, as Pumice does for an MP4 edit list. Without it the
   * delay stays in, as in what Pumice sends: of an MP3 at 44.1 kHz it would end between two samples.
   */
  readonly trimmed?: boolean;
}

/** A whole file as 48 kHz stereo. */
export async function ffmpegDecode(bytes: Uint8Array, options: DecodeOptions = {}): Promise<Pcm> {
  const pan = options.mono ? 'pan=stereo|c0=c0|c1=c0' : 'pan=stereo|c0=c0|c1=c1';
  const skip = options.trimmed ? [] : ['-flags2', 'skip_manual'];
  // From a file and not from a pipe: the index of an MP4 file may stand at its end.
  const folder = await mkdtemp(join(tmpdir(), 'pumice-ffmpeg-'));
  try {
    const file = join(folder, 'input');
    await writeFile(file, bytes);
    return interleaved(await run([...skip, '-i', file, '-af', pan]));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function run(args: readonly string[]): Promise<Buffer> {
  const output = ['-ar', '48000', '-f', 'f32le', 'pipe:1'];
  const child = spawn('ffmpeg', ['-v', 'error', ...args, ...output], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 30_000,
  });
  const out: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve);
    child.once('error', reject);
  });
  if (code !== 0 || out.length === 0) {
    throw new Error(`ffmpeg ended with ${String(code)}: ${Buffer.concat(errors).toString()}`);
  }
  return Buffer.concat(out);
}

function interleaved(bytes: Buffer): Pcm {
  const samples = Math.floor(bytes.length / 8);
  const left = new Float32Array(samples);
  const right = new Float32Array(samples);
  for (let i = 0; i < samples; i++) {
    left[i] = bytes.readFloatLE(i * 8);
    right[i] = bytes.readFloatLE(i * 8 + 4);
  }
  return { rate: 48_000, channels: [left, right] };
}
