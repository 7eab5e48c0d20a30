// The DAVE group of the packet bench: our own session, that of @discordjs/voice as it is, and a third member who
// founds it with them, over the delivery service of the tests. No sockets.
import { DAVESession } from '@discordjs/voice';
import { DaveBot, until } from '../test/support/dave-bot.js';
import { DaveDelivery } from '../test/support/dave-delivery.js';
import type { DaveMember } from '../test/support/dave-member.js';
import { VoiceListener } from '../test/support/voice-listener.js';
import type { DaveSession } from '../src/shard/voice/dave-session.js';

const CHANNEL = '200000000000000001';

export interface Call {
  readonly ours: DaveSession;
  readonly theirs: DAVESession;
  close(): void;
}

/** Resolves when everybody can encrypt. */
export async function openCall(): Promise<Call> {
  const delivery = new DaveDelivery(CHANNEL, 1, 5_000, () => undefined);
  const bot = new DaveBot(delivery);
  const library = new LibraryMember('77', delivery);
  const listener = new VoiceListener('55', delivery, { commits: true, commitDelayMs: 0 });
  bot.join();
  library.join();
  listener.join();
  await until(
    'both can encrypt',
    () => delivery.settled && bot.session.frameWay === 'sealed' && library.session.session?.ready === true,
  );
  return {
    ours: bot.session,
    theirs: library.session,
    close() {
      bot.session.close();
      library.session.destroy();
      delivery.close();
    },
  };
}

/** The library's session, which its Networking would drive in the same way. */
class LibraryMember implements DaveMember {
  readonly userId: string;
  readonly session: DAVESession;
  readonly #delivery: DaveDelivery;
  readonly #known = new Set<string>();
  #keyPackage: Buffer | null = null;

  constructor(userId: string, delivery: DaveDelivery) {
    this.userId = userId;
    this.#delivery = delivery;
    this.session = new DAVESession(1, userId, CHANNEL, {});
    this.session.on('keyPackage', (keyPackage) => (this.#keyPackage = keyPackage));
    this.session.reinit();
  }

  join(): void {
    this.#delivery.enter(this);
    this.#delivery.begin(this.userId);
  }

  deliverJson(op: number, d: unknown): void {
    if (op === 11) for (const userId of (d as { user_ids: string[] }).user_ids) this.#known.add(userId);
    else if (op === 22) this.session.executeTransition((d as { transition_id: number }).transition_id);
  }

  deliverBinary(op: number, payload: Buffer): void {
    if (op === 25) {
      this.session.setExternalSender(payload);
      setImmediate(() => this.#delivery.keyPackage(this.userId, this.#keyPackage!));
    } else if (op === 27) {
      const commit = this.session.processProposals(payload, this.#known);
      if (commit !== undefined) setImmediate(() => this.#delivery.commit(this.userId, commit));
    } else if (op === 29 || op === 30) {
      const { transitionId } =
        op === 29 ? this.session.processCommit(payload) : this.session.processWelcome(payload);
      setImmediate(() => this.#delivery.ready(this.userId, transitionId));
    }
  }
}
