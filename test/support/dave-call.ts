// A call of the delivery service with a bot in it that has the product's DAVE session, as the tests of that session
// want it: joins, "when it has settled", and who can read what the bot sends.

import type { Test } from 'tap';
import { BOT, DaveBot, opusFrame, until } from './dave-bot.js';
import { DaveDelivery } from './dave-delivery.js';
import { VoiceListener } from './voice-listener.js';

export const CHANNEL = '200000000000000001';

export class DaveCall {
  readonly delivery: DaveDelivery;
  readonly bot: DaveBot;

  constructor(t: Pick<Test, 'teardown'>, transitionTimeoutMs = 2_000) {
    this.delivery = new DaveDelivery(CHANNEL, 1, transitionTimeoutMs, () => undefined);
    this.bot = new DaveBot(this.delivery);
    t.teardown(() => {
      this.bot.session.close();
      this.delivery.close();
    });
  }

  join(userId: string, commits = true): VoiceListener {
    const listener = new VoiceListener(userId, this.delivery, { commits, commitDelayMs: 0 });
    listener.join();
    return listener;
  }

  settled(epoch: number): Promise<void> {
    return until(
      `the group settles in epoch ${epoch}`,
      () => this.delivery.settled && this.delivery.report().epoch === epoch && this.bot.queue.waiting() === 0,
    );
  }
}

/** The bot's next frame is sealed, these can read it and those cannot. */
export function reads(
  t: Pick<Test, 'same' | 'equal'>,
  bot: DaveBot,
  can: VoiceListener[],
  cannot: VoiceListener[] = [],
) {
  t.equal(bot.session.frameWay, 'sealed');
  const opus = opusFrame();
  const frame = bot.frame(opus)!;
  for (const listener of can) t.same(listener.decrypt(BOT, frame), opus, `${listener.userId} can read it`);
  for (const listener of cannot) t.equal(listener.decrypt(BOT, frame), null, `${listener.userId} cannot`);
}
