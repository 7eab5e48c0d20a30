// The send rings that a shard has at one sender: one slab of shared memory, of which each voice session gets a
// ring for its length. Made for each sender that main has handed over, or for the loop in this thread. In a shard.

import { ServerError } from '../../shared/errors.js';
import { RingWriter, type SlabLayout } from '../../shared/send-ring.js';
import type { SenderControl, SenderListener } from '../sender/messages.js';
import type { RingLease, RingOwner } from './native-session.js';

export class SenderRings {
  readonly #slab: SlabLayout;
  readonly #control: SenderControl;
  readonly #free: number[];
  readonly #owners = new Map<number, RingOwner>();

  /** `attach` connects to the sender, which has the same slab, and says who hears of what it does. */
  constructor(slab: SlabLayout, attach: (listener: SenderListener) => SenderControl) {
    const { rings } = slab;
    this.#slab = slab;
    this.#free = Array.from({ length: rings }, (_, index) => rings - 1 - index);
    this.#control = attach({
      discovered: (ring, address, port) => this.#owners.get(ring)?.discovered(address, port),
      quiet: (ring) => this.#owners.get(ring)?.quiet(),
      closed: (ring) => {
        this.#free.push(ring);
      },
    });
  }

  /** Throws PUM_VOICE_FULL. */
  lease(owner: RingOwner): RingLease {
    const index = this.#free.pop();
    if (index === undefined) throw new ServerError('PUM_VOICE_FULL', { limit: this.#slab.rings });
    const ring = new RingWriter(this.#slab, index);
    this.#owners.set(index, owner);
    return {
      ring,
      control: this.#control,
      end: () => {
        this.#owners.delete(index);
        ring.close();
        this.#control.close(index);
      },
    };
  }
}
