// The voice driver that the configuration asks for, and for the native one its senders: threads that main has
// started, or the same loop in this one (`senderThreads: off`). Called once by run-shard.ts.
import type { Clock } from '../shared/clock.js';
import type { ShardCounters } from '../shared/counters.js';
import { slabFor } from '../shared/ring-plan.js';
import type { SenderLink, ShardTask } from '../shared/shard-task.js';
import { createSender } from './sender/create-sender.js';
import { SenderPort } from './sender/sender-port.js';
import { SenderLinks } from './sender-links.js';
import type { VoiceDriver } from './voice/driver.js';
import { createNativeDriver } from './voice/native-driver.js';
import { SenderRings } from './voice/sender-rings.js';
import type { VoiceGuard } from './voice/voice-guard.js';

export interface DriverParts {
  readonly task: ShardTask;
  readonly clock: Clock;
  readonly counters: ShardCounters;
  readonly guard: VoiceGuard;
}

export interface CreatedDriver {
  readonly driver: VoiceDriver;
  /** Main has handed a sender over. */
  readonly link: (link: SenderLink) => void;
}

export async function createDriver({ task, clock, counters, guard }: DriverParts): Promise<CreatedDriver> {
  const { config, ca } = task;
  const links = new SenderLinks((port, listener) => new SenderPort(port, listener));
  const link = (handed: SenderLink): void => links.take(handed);
  if (config['pumice.voice.driver'] === 'discordjs') {
    // Loaded only where it is asked for: the start is no place to wait for what nobody uses.
    const { createDiscordjsDriver } = await import('./voice/discordjs-driver.js');
    return { driver: createDiscordjsDriver({ clock, guard, ca, counters: counters.driver }), link };
  }
  const leadMs = config['lavalink.server.bufferDurationMs'];
  const common = { clock, guard, ca, leadMs, counters: counters.driver };
  if (task.hasSenders) {
    const driver = createNativeDriver({
      ...common,
      rings: (sender) => links.rings(sender),
      detach: () => {
        links.close();
      },
    });
    return { driver, link };
  }
  const here = createSender(clock, counters.driver);
  const slab = slabFor(leadMs);
  const rings = new SenderRings(slab, (listener) => here.loop.attach(slab, listener));
  const driver = createNativeDriver({
    ...common,
    rings: () => rings,
    detach: () => {
      here.close();
    },
  });
  return { driver, link };
}
