// Every order of what may happen in a call: joins, leaves, resets, damaged commits and welcomes, version changes, in
// bursts and with rests. After each rest whoever is in the call reads what the bot sends, and nobody else does; at
// no moment may a frame leave plain while DAVE is on and somebody is there.
import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import t from 'tap';
import { VOICE } from '../../../src/shared/limits.js';
import { BOT, opusFrame, until } from '../../support/dave-bot.js';
import { DaveCall } from '../../support/dave-call.js';
import { uint16 } from '../../support/mls.js';
import { strangerKeyPackage, type VoiceListener } from '../../support/voice-listener.js';

const USERS = ['11', '12', '13', '14'] as const;
/** Milliseconds after which the server goes on without an op 23. */
const TRANSITION_TIMEOUT = 150;

type Step =
  | { readonly do: 'toggle'; readonly user: number }
  | { readonly do: 'everybody leaves' | 'rest' | 'turns' | 'downgrade' | 'upgrade' | 'revoke' | 'time' }
  | { readonly do: 'to the bot' | 'to a listener'; readonly what: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('toggle' as const), user: fc.nat(USERS.length - 1) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('to the bot' as const), what: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('to a listener' as const), what: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.constant({ do: 'turns' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'rest' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom(...(['everybody leaves', 'downgrade', 'upgrade', 'revoke', 'time'] as const)),
    }),
  },
);

class Scene {
  readonly #call: DaveCall;
  readonly #present = new Map<string, VoiceListener>();
  readonly #gone: VoiceListener[] = [];
  #strangerId = 40_000;
  /** Groups that were looked at with somebody in them. */
  looked = 0;

  constructor(call: DaveCall, early: boolean) {
    this.#call = call;
    call.bot.join(early);
  }

  async play(steps: readonly Step[]): Promise<void> {
    for (const next of steps) {
      await this.#play(next);
      this.#neverPlain();
    }
    await this.#rest();
  }

  async #play(next: Step): Promise<void> {
    const { delivery, bot } = this.#call;
    switch (next.do) {
      case 'toggle':
        this.#toggle(USERS[next.user]!);
        break;
      case 'everybody leaves':
        for (const userId of [...this.#present.keys()]) this.#toggle(userId);
        break;
      case 'rest':
        await this.#rest();
        break;
      case 'turns':
        for (let n = 0; n < 12; n++) {
          await nextTurn();
          this.#neverPlain();
        }
        break;
      case 'downgrade':
        delivery.downgrade();
        break;
      case 'upgrade':
        delivery.upgrade();
        break;
      case 'revoke':
        delivery.revoke();
        break;
      case 'time':
        bot.time.advance(VOICE.daveRetryFirst);
        break;
      case 'to the bot':
        this.#trouble(next.what);
        break;
      case 'to a listener': {
        // A listener of the fake begins anew at once, for ever, when that outruns what is under way.
        await this.#rest();
        const listener = [...this.#present.values()][next.what];
        listener?.deliverBinary(30, Buffer.concat([uint16(this.#unknownId()), randomBytes(60)]));
        break;
      }
    }
  }

  #toggle(userId: string): void {
    const there = this.#present.get(userId);
    if (there === undefined) {
      this.#present.set(userId, this.#call.join(userId));
      return;
    }
    this.#present.delete(userId);
    this.#gone.push(there);
    there.leave();
  }

  /** A message that nobody has asked for. */
  #trouble(what: number): void {
    const { delivery, bot } = this.#call;
    const { session } = bot;
    const last = bot.received.at(-1)!;
    // Another external sender would be one that counts.
    const spoilt = last.op === 25 ? 27 : last.op;
    const id = uint16(this.#unknownId());
    const messages: readonly (() => void)[] = [
      () => session.binary(29, Buffer.concat([id, randomBytes(200)])),
      () => session.binary(30, Buffer.concat([id, randomBytes(200)])),
      () => session.binary(last.op, last.payload),
      () => session.binary(spoilt, Buffer.concat([last.payload.subarray(0, -1), randomBytes(1)])),
      () => session.binary(27, delivery.staleProposals()),
      () => session.binary(27, delivery.strangerProposals(strangerKeyPackage(delivery))),
      () => session.binary(27, randomBytes(50)),
      () => session.binary(25, delivery.externalSender),
      () => session.binary(25, Buffer.concat([delivery.externalSender, randomBytes(1)])),
      () => session.json(22, { transition_id: this.#unknownId() }),
    ];
    messages[what]!();
  }

  #unknownId(): number {
    return this.#strangerId++;
  }

  #neverPlain(): void {
    const { delivery, bot } = this.#call;
    const plain = bot.session.frameWay === 'plain';
    if (plain && delivery.version > 0 && this.#present.size > 0) throw new Error('plain frames would leave');
  }

  /** Lets everything come to rest, with as much of the bot's time as that takes, and looks at who can read. */
  async #rest(): Promise<void> {
    const { delivery, bot } = this.#call;
    const ready = (): boolean => {
      this.#neverPlain();
      if (!delivery.settled || bot.queue.waiting() > 0) return false;
      const { established, epoch } = delivery.report();
      const listeners = [...this.#present.values()];
      if (established && !listeners.every((listener) => listener.epoch === epoch)) return false;
      const way = bot.session.frameWay;
      // After a downgrade a reset leads back to DAVE, whatever the server's own version was.
      return way === 'sealed' || (way === 'plain' && (listeners.length === 0 || delivery.version === 0));
    };
    for (let patience = 0; patience < 12; patience++) {
      const rested = await until('all is at rest', ready, 2 * TRANSITION_TIMEOUT).then(
        () => true,
        () => false,
      );
      if (rested) {
        this.#look();
        return;
      }
      bot.time.advance(VOICE.daveRenewLast);
    }
    const { refused, sent, session } = bot;
    const report = { ...delivery.report(), way: session.frameWay, refused, sent: sent.map(({ op }) => op) };
    throw new Error(`it does not come to rest: ${JSON.stringify(report)}`);
  }

  #look(): void {
    const { bot } = this.#call;
    if (bot.session.frameWay === 'plain') return;
    if (this.#present.size > 0) this.looked++;
    const opus = opusFrame();
    const frame = bot.frame(opus)!;
    if (frame.includes(opus)) throw new Error('the frame is not sealed');
    for (const listener of this.#present.values()) {
      const heard = listener.decrypt(BOT, frame);
      if (heard === null || !heard.equals(opus)) throw new Error(`${listener.userId} cannot read it`);
    }
    for (const listener of this.#gone) {
      if (listener.decrypt(BOT, frame) !== null) throw new Error(`${listener.userId} is gone and reads it`);
    }
  }
}

t.test(
  'after every order of events whoever is there reads the bot, and nobody else',
  { timeout: 60_000 },
  async (t) => {
    let looked = 0;
    let scripts = 0;
    const property = fc.asyncProperty(
      fc.boolean(),
      fc.array(step, { minLength: 4, maxLength: 14, size: 'max' }),
      async (early, steps) => {
        const ends: (() => unknown)[] = [];
        const call = new DaveCall(
          { teardown: (end: () => unknown) => void ends.push(end) },
          TRANSITION_TIMEOUT,
        );
        const scene = new Scene(call, early);
        try {
          await scene.play(steps);
        } finally {
          for (const end of ends) end();
        }
        scripts++;
        looked += scene.looked;
      },
    );
    await fc.assert(property, {
      numRuns: 120,
      interruptAfterTimeLimit: 12_000,
      markInterruptAsFailure: false,
    });
    t.comment(`${scripts} scripts, ${looked} groups looked at`);
    t.ok(scripts > 0 && looked > 0, 'something was looked at');
  },
);
