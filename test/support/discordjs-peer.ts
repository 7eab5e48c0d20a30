// Somebody else's client, wholly untouched: @discordjs/voice in a process of its own, which trusts the fake
// server's certificate the ordinary way. It holds the fake voice server to what a real client expects. The
// module is both ends: imported it starts the child, run as the child it obeys.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DAVESession } from '@snazzah/davey';

const SELF = fileURLToPath(import.meta.url);

export interface PeerOptions {
  /** Certificate of the fake server, PEM. */
  readonly ca: string;
  readonly endpoint: string;
  readonly guildId: string;
  readonly channelId: string;
  readonly userId: string;
  /** Milliseconds until it must be Ready; 10,000 unless told. */
  readonly readyMs?: number;
}

export interface PeerState {
  readonly status: string;
  readonly epoch: number;
  readonly ready: boolean;
  /** DAVE transitions executed, by id. */
  readonly transitions: readonly number[];
}

type ToPeer = { readonly kind: 'play'; readonly frames: readonly string[] } | { readonly kind: 'state' };

export class DiscordjsPeer {
  readonly #child: ChildProcess;
  readonly #folder: string;
  /** Rejects with what the child printed when it ends unasked. */
  readonly #ended: Promise<never>;

  private constructor(child: ChildProcess, folder: string, ended: Promise<never>) {
    this.#child = child;
    this.#folder = folder;
    this.#ended = ended;
  }

  /** Resolves when the connection is Ready; rejects with what the child printed. */
  static async connect(options: PeerOptions): Promise<DiscordjsPeer> {
    const folder = await mkdtemp(join(tmpdir(), 'pumice-peer-'));
    const caFile = join(folder, 'ca.pem');
    await writeFile(caFile, options.ca);
    const child = fork(SELF, [JSON.stringify(options)], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: caFile },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let errors = '';
    child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    const ended = once(child, 'exit').then(([code, signal]) => {
      throw new Error(`the peer ended with ${String(code ?? signal)}: ${errors}`);
    });
    ended.catch(() => undefined);
    await Promise.race([once(child, 'message', { signal: AbortSignal.timeout(15_000) }), ended]);
    return new DiscordjsPeer(child, folder, ended);
  }

  /** Sends frames one after another, 20 ms apart. */
  async play(frames: readonly Uint8Array[]): Promise<void> {
    await this.#ask({ kind: 'play', frames: frames.map((frame) => Buffer.from(frame).toString('base64')) });
  }

  async state(): Promise<PeerState> {
    return (await this.#ask({ kind: 'state' })) as PeerState;
  }

  async close(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#ended.catch(() => undefined);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #ask(message: ToPeer): Promise<unknown> {
    const answer = once(this.#child, 'message', { signal: AbortSignal.timeout(15_000) });
    this.#child.send(message);
    const [body] = (await Promise.race([answer, this.#ended])) as [unknown];
    return body;
  }
}

if (process.argv[1] === SELF && process.send)
  await bePeer(JSON.parse(process.argv[2] ?? '{}') as PeerOptions);

async function bePeer(options: PeerOptions): Promise<void> {
  const { VoiceConnection, VoiceConnectionStatus, entersState } = await import('@discordjs/voice');
  const { endpoint, guildId, channelId, userId } = options;
  interface Methods {
    onVoiceStateUpdate(data: unknown): void;
    onVoiceServerUpdate(data: unknown): void;
  }
  let methods: Methods | null = null;
  const connection = new VoiceConnection(
    { guildId, channelId, group: 'peer', selfDeaf: true, selfMute: false },
    {
      adapterCreator: (given) => {
        methods = given;
        return { sendPayload: () => true, destroy: () => undefined };
      },
    },
  );
  const transitions: number[] = [];
  connection.on('transitioned', (id: number) => transitions.push(id));
  // State first: the server update connects.
  const told = methods as Methods | null;
  told?.onVoiceStateUpdate({
    session_id: 'peer-session',
    user_id: userId,
    channel_id: channelId,
    guild_id: guildId,
  });
  told?.onVoiceServerUpdate({ token: 'peer-token', guild_id: guildId, endpoint });
  await entersState(connection, VoiceConnectionStatus.Ready, options.readyMs ?? 10_000);
  process.on('disconnect', () => {
    connection.destroy();
    setTimeout(() => process.exit(0), 100);
  });
  process.on('message', (message: ToPeer) => {
    if (message.kind === 'state') process.send?.(stateOf());
    else void playAll(message.frames.map((frame) => Buffer.from(frame, 'base64')));
  });
  process.send?.('ready');

  function stateOf(): PeerState {
    const networking = (connection.state as { networking?: { state: { dave?: { session?: DAVESession } } } })
      .networking;
    const session = networking?.state.dave?.session;
    return {
      status: connection.state.status,
      epoch: Number(session?.epoch ?? -1),
      ready: session?.ready ?? false,
      transitions,
    };
  }

  /** The library loads its cipher package by and by, and throws while it has not: one frame nobody needs tells. */
  async function encryptionLoaded(): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        connection.prepareAudioPacket(Buffer.from([0xf8, 0xff, 0xfe]));
        return;
      } catch (error) {
        if (tries > 200) throw error;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  }

  async function playAll(frames: readonly Buffer[]): Promise<void> {
    await encryptionLoaded();
    const began = performance.now();
    for (const [n, frame] of frames.entries()) {
      connection.playOpusPacket(frame);
      await new Promise((resolve) => setTimeout(resolve, began + (n + 1) * 20 - performance.now()));
    }
    process.send?.('played');
  }
}
