// A client of the main thread without HTTP: opens sessions on a MainNode and sends the bodies of PATCH and
// DELETE as the handlers would.
import { checkPlayerUpdate, parsePlayerUpdate } from '../../src/main/http/player-update.js';
import { playerJson } from '../../src/main/player-json.js';
import { patchPlayer } from '../../src/main/player-patch.js';
import type { Session } from '../../src/main/session.js';
import type { Connection } from '../../src/main/ws/connection.js';
import { FakeSocket, settle, type MainNode } from './main-node.js';

export class MainClient {
  readonly main: MainNode;
  socket: FakeSocket;

  constructor(main: MainNode, connection: Partial<Connection> = {}) {
    this.main = main;
    this.socket = this.#connect(connection);
  }

  get session(): Session {
    const { session } = this.socket.data;
    if (session === null) throw new Error('the socket has no session');
    return session;
  }

  /** The name under which the fleet knows the guild's player. */
  id(guild = '1'): string {
    return `${this.session.id}:${guild}`;
  }

  async patch(body: unknown, { guild = '1', noReplace = false } = {}): Promise<Record<string, unknown>> {
    const change = checkPlayerUpdate(parsePlayerUpdate(body), {
      enabledFilters: ['volume', 'lowPass'],
      pluginFiltersOff: new Set(),
      voiceEndpoints: ['*.discord.media'],
    });
    const { signal } = new AbortController();
    const session = this.session;
    const player = await session.command(() => {
      return patchPlayer(this.main.node, session, { guild, change, noReplace, signal });
    });
    return playerJson(player, this.main.clock.wall()) as Record<string, unknown>;
  }

  remove(guild = '1'): Promise<void> {
    return this.session.players.remove(guild);
  }

  /** The connection is lost. */
  async vanish(): Promise<void> {
    this.socket.terminate();
    this.main.sessions.closed(this.socket, 1006);
    await settle();
  }

  /** Comes back on a new socket and asks for the session. */
  comeBack(id: string, user = '42'): void {
    this.socket = this.#connect({ resume: id, user });
  }

  #connect(connection: Partial<Connection>): FakeSocket {
    const socket = new FakeSocket(connection);
    socket.answerPing = () => socket.data.session?.pong();
    this.main.sessions.open(socket);
    return socket;
  }
}
