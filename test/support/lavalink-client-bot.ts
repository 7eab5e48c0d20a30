// A bot built on the unmodified lavalink-client library, with nothing of Discord behind it but a stub gateway.
import { once } from 'node:events';
import { LavalinkManager, type Player, type Track, type VoicePacket } from 'lavalink-client';
import { BotGateway } from './bot-gateway.js';

const BOT_ID = '100000000000000003';

/** A track's single end is told as `queueEnd`: the library's queue is empty then. */
const NAMES = [
  'trackStart',
  'trackEnd',
  'queueEnd',
  'trackStuck',
  'trackError',
  'playerSocketClosed',
] as const;
export type ManagerEventName = (typeof NAMES)[number];

export interface ManagerEvent {
  readonly name: ManagerEventName;
  readonly guildId: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface LavalinkClientBotOptions {
  /** Port of the node on loopback. */
  readonly port: number;
  readonly password: string;
  /** Of the voice server, `host:port`. */
  readonly voiceEndpoint: string;
}

export class LavalinkClientBot {
  readonly manager: LavalinkManager;
  readonly events: ManagerEvent[] = [];
  #told: () => void = () => undefined;

  private constructor(options: LavalinkClientBotOptions) {
    const gateway = new BotGateway({
      userId: BOT_ID,
      endpoint: options.voiceEndpoint,
      dispatch: (packet) => {
        void this.manager.sendRawData(packet as unknown as VoicePacket);
      },
    });
    this.manager = new LavalinkManager({
      nodes: [
        {
          id: 'pumice',
          host: '127.0.0.1',
          port: options.port,
          authorization: options.password,
          retryAmount: 1,
          retryDelay: 100,
        },
      ],
      sendToShard: (_guild, payload) => {
        const { guild_id, channel_id, self_deaf, self_mute } = payload.d;
        gateway.voiceState({ guild_id, channel_id, self_deaf, self_mute });
      },
      client: { id: BOT_ID },
      autoSkip: false,
      playerOptions: { onDisconnect: { destroyPlayer: false } },
    });
    for (const name of NAMES) {
      // Every one of these events is told as player, track or payload, payload.
      this.manager.on(name, (player: Player, ...rest: unknown[]) => {
        const payload = rest.at(-1) as Record<string, unknown>;
        this.events.push({ name, guildId: player.guildId, payload });
        this.#told();
      });
    }
  }

  /** Resolves when the node is ready; rejects with why it is not. */
  static async connect(options: LavalinkClientBotOptions): Promise<LavalinkClientBot> {
    const bot = new LavalinkClientBot(options);
    const { nodeManager } = bot.manager;
    const failed = new Promise<never>((_, reject) => {
      nodeManager.on('error', (_node, error) => {
        reject(error);
      });
    });
    failed.catch(() => undefined);
    // The node counts as connected with the socket; its session comes with Lavalink's ready.
    const ready = once(nodeManager as never, 'connect', { signal: AbortSignal.timeout(15_000) });
    await bot.manager.init({ id: BOT_ID, username: 'test' });
    await Promise.race([ready, failed]);
    return bot;
  }

  /** Joins; the voice connection comes later, as with Discord. */
  async join(guildId: string, channelId = guildId): Promise<Player> {
    const player = this.manager.createPlayer({ guildId, voiceChannelId: channelId, selfDeaf: true });
    await player.connect();
    return player;
  }

  /** Rejects with what was loaded instead of a track. */
  async load(player: Player, identifier: string): Promise<Track> {
    const result = await player.search({ query: identifier, source: 'http' as never }, { id: BOT_ID });
    const [track] = result.tracks;
    if (result.loadType !== 'track' || !track) throw new Error(`not a track: ${JSON.stringify(result)}`);
    return track as Track;
  }

  names(guildId: string): ManagerEventName[] {
    return this.events.filter((event) => event.guildId === guildId).map(({ name }) => name);
  }

  /** The guild's first event of that name; rejects after `ms`. */
  async wait(guildId: string, name: ManagerEventName, ms = 15_000): Promise<ManagerEvent> {
    const until = performance.now() + ms;
    for (;;) {
      const found = this.events.find((event) => event.guildId === guildId && event.name === name);
      if (found) return found;
      const left = until - performance.now();
      if (left <= 0)
        throw new Error(`no ${name} within ${String(ms)} ms, but ${this.names(guildId).join(' ')}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#told = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async close(): Promise<void> {
    if ([...this.manager.nodeManager.nodes.values()].some((node) => node.connected)) {
      await this.manager.nodeManager.disconnectAll(true, true);
    }
  }
}
