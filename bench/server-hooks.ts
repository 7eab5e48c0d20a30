// What a bench may do to the threads of a server that the server itself cannot be told: keep its shards busy, fill
// main's heap, collect garbage everywhere. Gives the arguments with which a server takes hooks-preload.ts into each
// of its threads, and speaks to it over a socket in a temporary folder.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type HookCommand =
  /** Every shard stands still for `ms` so often a second, at random moments. */
  | { readonly kind: 'stalls'; readonly ms: number; readonly perSecond: number }
  /** One shard, once, at once. */
  | { readonly kind: 'stall'; readonly shard: number; readonly ms: number }
  /** Main makes garbage that lives for a second. */
  | { readonly kind: 'thrash' }
  /** Ends stalls and thrash. */
  | { readonly kind: 'calm' }
  /** Forces a collection of everything that a thread's V8 can collect. */
  | { readonly kind: 'collect' };

/** What a thread says when it has carried out a command. */
export interface ThreadReply {
  /** `pumice` (main), `pumice-s0`, `pumice-snd0`, `pumice-ld`. */
  readonly thread: string;
  /** Stalls made so far. */
  readonly stalls: number;
  /** Collections of main during thrash so far, and the milliseconds they took. */
  readonly collections: number;
  readonly collectionMs: number;
  /** Bytes of this thread's V8; `external` holds `arrayBuffers`. */
  readonly heapUsed: number;
  readonly heapTotal: number;
  readonly external: number;
  readonly arrayBuffers: number;
}

const CEILING_MS = 30_000;

export class ServerHooks {
  /** For the server's own Node. */
  readonly execArgv: readonly string[];
  readonly #folder: string;
  readonly #socket: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#socket = join(folder, 's');
    const preload = new URL('./hooks-preload.js', import.meta.url);
    preload.searchParams.set('socket', this.#socket);
    this.execArgv = ['--expose-gc', '--import', preload.href];
  }

  /** For one server at a time. */
  static async create(): Promise<ServerHooks> {
    return new ServerHooks(await mkdtemp(join(tmpdir(), 'pumice-hooks-')));
  }

  /** Resolves when every thread of the server has done it. */
  async tell(command: HookCommand): Promise<readonly ThreadReply[]> {
    const socket = connect(this.#socket);
    socket.setTimeout(CEILING_MS, () => socket.destroy(new Error('the hooks of the server do not answer')));
    socket.setEncoding('utf8').end(JSON.stringify(command));
    let text = '';
    socket.on('data', (chunk: string) => (text += chunk));
    await once(socket, 'end');
    return JSON.parse(text) as readonly ThreadReply[];
  }

  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Sum over all threads. */
export function sumOf(replies: readonly ThreadReply[], of: (reply: ThreadReply) => number): number {
  return replies.reduce((sum, reply) => sum + of(reply), 0);
}
