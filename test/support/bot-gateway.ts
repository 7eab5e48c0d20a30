// Discord's main gateway as far as a Lavalink client needs it: to a voice state update (op 4) it answers with
// the two dispatches that name the voice server. The only part of a bot that the end-to-end tests stub.

/** The payload of op 4, as every client library sends it. */
export interface VoiceStatePayload {
  readonly guild_id: string;
  readonly channel_id: string | null;
  readonly self_deaf?: boolean;
  readonly self_mute?: boolean;
}

export interface Dispatch {
  readonly t: 'VOICE_STATE_UPDATE' | 'VOICE_SERVER_UPDATE';
  readonly d: Record<string, unknown>;
}

export interface BotGatewayOptions {
  readonly userId: string;
  /** Where the voice server listens, `host:port`. */
  readonly endpoint: string;
  /** Takes what Discord would send. */
  readonly dispatch: (packet: Dispatch) => void;
}

export class BotGateway {
  readonly #options: BotGatewayOptions;
  #joins = 0;

  constructor(options: BotGatewayOptions) {
    this.#options = options;
  }

  /** The bot joins, moves or leaves. */
  voiceState(payload: VoiceStatePayload): void {
    const { userId, endpoint, dispatch } = this.#options;
    const { guild_id, channel_id, self_deaf = false, self_mute = false } = payload;
    const session_id = `voice-session-${guild_id}-${String(++this.#joins)}`;
    setImmediate(() => {
      dispatch({
        t: 'VOICE_STATE_UPDATE',
        d: { guild_id, channel_id, user_id: userId, session_id, self_deaf, self_mute },
      });
      if (channel_id === null) return;
      dispatch({ t: 'VOICE_SERVER_UPDATE', d: { guild_id, endpoint, token: `token-${guild_id}` } });
    });
  }
}
