// Lets a shard in another thread speak to a sender's loop: its messages become calls, what the loop tells it
// becomes messages (messages.ts). Called by the sender's entry, in the sender's thread.

import type { MessagePort } from 'node:worker_threads';
import type { SlabLayout } from '../../shared/send-ring.js';
import type { SenderLoop } from './loop.js';
import type { SenderReport, SenderRequest } from './messages.js';

/** Until the port closes: then the shard is gone, what it has sealed is sent and its rings are forgotten. */
export function servePort(port: MessagePort, slab: SlabLayout, loop: SenderLoop): void {
  const report = (message: SenderReport): void => {
    port.postMessage(message);
  };
  const rings = loop.attach(slab, {
    discovered: (ring, address, ours) => report({ op: 'discovered', ring, address, port: ours }),
    quiet: (ring) => report({ op: 'quiet', ring }),
    closed: (ring) => report({ op: 'closed', ring }),
  });
  port.on('message', (request: SenderRequest) => {
    switch (request.op) {
      case 'discover':
        return rings.discover(request.ring, request.address, request.port, request.ssrc);
      case 'open':
        return rings.open(request.ring, request.address, request.port, request.row);
      case 'start':
        return rings.start(request.ring);
      case 'close':
        return rings.close(request.ring);
    }
  });
  port.on('close', () => rings.detach());
}
