// The voice driver that the configuration asks for, and for the native one its sender: a thread that main has
// started, or the same loop in this one (`senderThreads: off`). Called once by run-shard.ts.
import type { MessagePort } from 'node:worker_threads';
import type { Clock } from '../shared/clock.js';
import type { ShardCounters } from '../shared/counters.js';
import { slabFor } from '../shared/ring-plan.js';
import type { ShardTask } from '../shared/shard-task.js';
import { createSender } from './sender/create-sender.js';
import { SenderPort } from './sender/sender-port.js';
import { createDiscordjsDriver } from './voice/discordjs-driver.js';
import type { VoiceDriver } from './voice/driver.js';
import { createNativeDriver } from './voice/native-driver.js';
import type { VoiceGuard } from './voice/voice-guard.js';

export interface DriverParts {
  readonly task: ShardTask;
  readonly clock: Clock;
  readonly counters: ShardCounters;
  readonly guard: VoiceGuard;
}

export function createDriver({ task, clock, counters, guard }: DriverParts): VoiceDriver {
  const { config, ca, sender } = task;
  if (config['pumice.voice.driver'] === 'discordjs') {
    return createDiscordjsDriver({ clock, guard, ca, counters: counters.driver });
  }
  const leadMs = config['lavalink.server.bufferDurationMs'];
  const common = { clock, guard, ca, leadMs, counters: counters.driver };
  if (sender === null) {
    const here = createSender(clock, counters.driver);
    const slab = slabFor(leadMs);
    return createNativeDriver({
      ...common,
      slab,
      attach: (listener) => here.loop.attach(slab, listener),
      detach: () => {
        here.close();
      },
    });
  }
  let there: SenderPort | null = null;
  sender.moves.on('message', (moved: { readonly port: MessagePort }) => {
    there?.moveTo(moved.port);
  });
  return createNativeDriver({
    ...common,
    slab: sender.slab,
    attach: (listener) => {
      there = new SenderPort(sender.port, listener);
      return there;
    },
    detach: () => {
      there?.disconnect();
      sender.moves.close();
    },
  });
}
