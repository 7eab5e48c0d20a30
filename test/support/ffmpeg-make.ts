// Files as the ffmpeg program writes them, with options that the fixtures' own bindings do not have. Only where it is
// installed: see ffmpeg.ts.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Pcm } from './signal.js';
import { wavFile } from './fixtures.js';

const run = promisify(execFile);

/** The sound encoded and muxed as `options` say, into a file with that extension. */
export async function ffmpegMake(pcm: Pcm, options: readonly string[], extension: string): Promise<Buffer> {
  return ffmpegRemake(wavFile(pcm), 'wav', options, extension);
}

/** The same with any file to begin with. */
export async function ffmpegRemake(
  bytes: Uint8Array,
  from: string,
  options: readonly string[],
  extension: string,
): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'pumice-ffmpeg-'));
  try {
    const input = join(folder, `input.${from}`);
    const output = join(folder, `output.${extension}`);
    await writeFile(input, bytes);
    await run('ffmpeg', ['-v', 'error', '-i', input, ...options, output], { timeout: 30_000 });
    return await readFile(output);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
