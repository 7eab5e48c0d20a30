// Puts a sender together: its socket, its loop and what runs it. Called by the entry of a sender thread, and by
// a shard's entry where the shard sends by itself.

import type { Clock } from '../../shared/clock.js';
import { SenderLoop } from './loop.js';
import { SenderRunner } from './runner.js';
import { UdpSocket } from './udp.js';

export interface Sender {
  readonly loop: SenderLoop;
  /** Nothing leaves any more. */
  close(): void;
}

/** `counters` are the DRIVER_WORDS words named by DRIVER; only this sender writes them. */
export function createSender(clock: Clock, counters: Float64Array): Sender {
  const loop = new SenderLoop({ clock, udp: new UdpSocket(), counters });
  const runner = new SenderRunner(clock, loop);
  return {
    loop,
    close: () => {
      runner.close();
      loop.close();
    },
  };
}
