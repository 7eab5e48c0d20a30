// A bot built on the unmodified Shoukaku client, with nothing of Discord behind it but a stub gateway.
import { once } from 'node:events';
import { Connector, LoadType, Shoukaku, type Node, type NodeOption, type Player } from 'shoukaku';
import { BotGateway, type VoiceStatePayload } from './bot-gateway.js';

export const BOT_ID = '100000000000000001';

class StubConnector extends Connector {
  readonly #gateway: BotGateway;

  constructor(endpoint: string) {
    super({});
    this.#gateway = new BotGateway({
      userId: BOT_ID,
      endpoint,
      dispatch: (packet) => {
        this.raw(packet);
      },
    });
  }

  getId(): string {
    return BOT_ID;
  }

  sendPacket(_shard: number, payload: unknown): void {
    this.#gateway.voiceState((payload as { d: VoiceStatePayload }).d);
  }

  /** Real bots wait for Discord's READY here; ours is logged in by start(). */
  listen(): void {
    // Nothing to listen to.
  }

  start(nodes: NodeOption[]): void {
    this.ready(nodes);
  }
}

export interface ShoukakuBotOptions {
  /** Port of the node on loopback. */
  readonly port: number;
  readonly password: string;
  /** Of the voice server, `host:port`. */
  readonly voiceEndpoint: string;
}

export class ShoukakuBot {
  readonly client: Shoukaku;
  readonly node: Node;

  private constructor(client: Shoukaku, node: Node) {
    this.client = client;
    this.node = node;
  }

  /** Resolves when the node is ready. */
  static async connect(options: ShoukakuBotOptions): Promise<ShoukakuBot> {
    const connector = new StubConnector(options.voiceEndpoint);
    const nodes: NodeOption[] = [
      { name: 'pumice', url: `127.0.0.1:${String(options.port)}`, auth: options.password },
    ];
    const client = new Shoukaku(connector, nodes, {
      reconnectTries: 1,
      reconnectInterval: 1,
      voiceConnectionTimeout: 10,
    });
    const errors: Error[] = [];
    client.on('error', (_name, error) => errors.push(error));
    const ready = once(client, 'ready', { signal: AbortSignal.timeout(15_000) });
    connector.start(nodes);
    await ready.catch(() => {
      throw errors[0] ?? new Error('the node was not ready within 15 s');
    });
    const node = client.nodes.get('pumice');
    if (!node) throw errors[0] ?? new Error('the node is not connected');
    return new ShoukakuBot(client, node);
  }

  join(guildId: string, channelId = guildId): Promise<Player> {
    return this.client.joinVoiceChannel({ guildId, channelId, shardId: 0, deaf: true });
  }

  /** The encoded track of an identifier; rejects with what was loaded instead. */
  async load(identifier: string): Promise<string> {
    const loaded = await this.node.rest.resolve(identifier);
    if (loaded?.loadType !== LoadType.TRACK) throw new Error(`not a track: ${JSON.stringify(loaded)}`);
    return loaded.data.encoded;
  }

  leave(guildId: string): Promise<void> {
    return this.client.leaveVoiceChannel(guildId);
  }

  close(): void {
    this.client.removeNode('pumice', 'over');
  }
}
