// The senders that a shard has been handed, with senders that only write down what they are told.
import { MessageChannel } from 'node:worker_threads';
import t from 'tap';
import { slabFor } from '../../src/shared/ring-plan.js';
import type { RingOwner } from '../../src/shard/voice/native-session.js';
import { SenderLinks } from '../../src/shard/sender-links.js';
import type { SenderListener } from '../../src/shard/sender/messages.js';

const LIMIT = { timeout: 10_000 };
const owner: RingOwner = { discovered: () => undefined, quiet: () => undefined };

function setting() {
  const told: string[] = [];
  const listeners: SenderListener[] = [];
  const links = new SenderLinks((_, listener) => {
    const name = String(listeners.push(listener) - 1);
    const say = (what: string): void => void told.push(`${name} ${what}`);
    return {
      outlivesShard: true,
      discover: (ring) => say(`discover ${String(ring)}`),
      open: (ring) => say(`open ${String(ring)}`),
      start: (ring) => say(`start ${String(ring)}`),
      close: (ring) => say(`close ${String(ring)}`),
      moveTo: () => say('moves'),
      disconnect: () => say('disconnects'),
    };
  });
  const hand = (sender: number, isNew: boolean): void => {
    const { port1 } = new MessageChannel();
    links.take({ sender, port: port1, slab: isNew ? slabFor(400, 1) : null });
    port1.close();
  };
  return { links, told, listeners, hand };
}

t.test('a ring comes from the slab of the sender that was asked for', LIMIT, (t) => {
  const { links, told, listeners, hand } = setting();
  hand(0, true);
  hand(1, true);
  const first = links.rings(0).lease(owner);
  const second = links.rings(1).lease(owner);
  second.control.start(second.ring.index);
  first.control.discover(first.ring.index, '127.0.0.1', 5, 1);
  second.end();
  t.same(told, ['1 start 0', '0 discover 0', '1 close 0']);
  t.not(links.rings(1).lease(owner).ring.index, second.ring.index, 'not while the sender has it');
  listeners[1]?.closed(second.ring.index);
  t.equal(links.rings(1).lease(owner).ring.index, second.ring.index);
  t.end();
});

t.test('a slab has so many rings and no more', LIMIT, (t) => {
  const { links, hand } = setting();
  hand(0, true);
  t.throws(
    () => {
      for (let n = 0; n < 1_000; n++) links.rings(0).lease(owner);
    },
    { code: 'PUM_VOICE_FULL' },
  );
  t.end();
});

t.test('a successor gets the rings of its predecessor, and nobody else does', LIMIT, (t) => {
  const { links, told, hand } = setting();
  hand(0, true);
  hand(1, true);
  const rings = links.rings(1);
  hand(1, false);
  hand(7, false);
  t.same(told, ['1 moves']);
  t.equal(links.rings(1), rings);
  t.throws(() => links.rings(7), { code: 'PUM_VOICE_FAILED' });
  links.close();
  t.same(told, ['1 moves', '0 disconnects', '1 disconnects']);
  t.end();
});
