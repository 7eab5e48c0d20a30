// The C program beside which the packet bench measures: compiles bench/packet.c into a folder that is deleted
// again, checks that it makes the very same packets, and asks it for one round after another.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { SCRATCH, SealMode, createSealer } from '../src/shard/voice/seal.js';

/** As in packet.c. */
const SSRC = 0x01020304;
const SOURCE = 'bench/packet.c';
const COMPILER_MS = 20_000;
const ANSWER_MS = 20_000;

const run = promisify(execFile);

/** Microseconds of CPU time a packet. */
export interface RoundInC {
  readonly seal: number;
  readonly send: number;
}

export class PacketsInC {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess, folder: string, lines: AsyncIterator<string>) {
    this.#child = child;
    this.#folder = folder;
    this.#lines = lines;
  }

  /** The reason in words when there is none: no compiler, or no libsodium to compile with. */
  static async start(
    frames: readonly Uint8Array[],
    key: Uint8Array,
    port: number,
  ): Promise<PacketsInC | string> {
    const folder = await mkdtemp(join(tmpdir(), 'pumice-bench-packet-'));
    const why = await compile(join(folder, 'packet'));
    if (why !== null) {
      await rm(folder, { recursive: true, force: true });
      return why;
    }
    await writeFile(join(folder, 'frames'), Buffer.concat(frames.flatMap(withLength)));
    const child = spawn(
      join(folder, 'packet'),
      [String(port), Buffer.from(key).toString('hex'), join(folder, 'frames')],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    child.on('error', () => undefined); // The answer that does not come says so.
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const program = new PacketsInC(child, folder, lines);
    if ((await program.#answer()) !== hashOf(frames, key)) {
      await program.close();
      throw new Error(`${SOURCE} makes other packets than src/shard/voice/seal.ts`);
    }
    return program;
  }

  /** Every frame is sealed and sent `ticks` times. */
  async round(ticks: number): Promise<RoundInC> {
    this.#child.stdin?.write(`${ticks}\n`);
    const [seal = NaN, send = NaN] = (await this.#answer()).split(' ').map(Number);
    return { seal: seal / 1_000, send: send / 1_000 };
  }

  async close(): Promise<void> {
    this.#child.kill('SIGKILL');
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #answer(): Promise<string> {
    const late = setTimeout(() => this.#child.kill('SIGKILL'), ANSWER_MS);
    const { done, value } = await this.#lines.next();
    clearTimeout(late);
    if (done === true) throw new Error('the C program has ended');
    return value;
  }
}

async function compile(output: string): Promise<string | null> {
  try {
    await run('cc', ['-O2', '-o', output, SOURCE, '-lsodium'], { timeout: COMPILER_MS });
    return null;
  } catch (error) {
    const { code, stderr = '' } = error as { readonly code?: unknown; readonly stderr?: string };
    if (code === 'ENOENT') return 'there is no C compiler (cc)';
    if (stderr.includes('sodium')) return 'there is no libsodium to compile with (libsodium-dev)';
    throw error;
  }
}

function withLength(frame: Uint8Array): readonly Uint8Array[] {
  return [Uint8Array.of(frame.length >>> 8, frame.length), frame];
}

/** Of the packets that we make of these frames. */
function hashOf(frames: readonly Uint8Array[], key: Uint8Array): string {
  const hash = createHash('blake2b512');
  const sealer = createSealer(SealMode.xchacha, key);
  for (const [n, frame] of frames.entries()) {
    hash.update(SCRATCH.subarray(0, sealer.seal(frame, n, n * 960, SSRC, n)));
  }
  sealer.close();
  return hash.digest('hex');
}
