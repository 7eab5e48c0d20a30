// The relay that spoils datagrams does what it says, the same way for the same seed. Runs in the test process.

import dgram from 'node:dgram';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { UdpFault, type UdpFaults } from './udp-fault.js';

const LIMIT = { timeout: 20_000 };
/** As many as the kernel surely keeps until they are read. */
const COUNT = 200;

async function bound(): Promise<dgram.Socket> {
  const socket = dgram.createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** What has arrived at a socket, and a promise of when that is enough. */
function inbox(socket: dgram.Socket) {
  const messages: string[] = [];
  let look = (): void => undefined;
  socket.on('message', (bytes) => {
    messages.push(bytes.toString('latin1'));
    look();
  });
  const until = async (is: (messages: string[]) => boolean): Promise<string[]> => {
    while (!is(messages)) await new Promise<void>((resolve) => (look = resolve));
    return messages;
  };
  return { messages, until };
}

async function setting(t: Test, seed = 1) {
  const [near, far] = [await bound(), await bound()];
  const relay = await UdpFault.start({ port: far.address().port, seed });
  t.teardown(async () => {
    near.close();
    far.close();
    await relay.close();
  });
  const atFar = inbox(far);
  const send = (text: string): void => near.send(text, relay.port, '127.0.0.1');
  /** Sends 0 to COUNT - 1 through the faults, then a mark through none; what came before the mark. */
  const through = async (faults: UdpFaults): Promise<string[]> => {
    relay.set(faults);
    for (let n = 0; n < COUNT; n++) send(String(n));
    while (relay.counts.received < COUNT) await new Promise((resolve) => setImmediate(resolve));
    relay.set();
    send('mark');
    return (await atFar.until((all) => all.includes('mark'))).filter((text) => text !== 'mark');
  };
  return { near, far, relay, atFar, send, through };
}

const NUMBERS = Array.from({ length: COUNT }, (_, n) => String(n));

t.test(
  'without faults everything passes, both ways, and several near ends are kept apart',
  LIMIT,
  async (t) => {
    const { far, relay, through } = await setting(t);
    far.on('message', (bytes, from) => far.send(`re ${bytes.toString()}`, from.port, '127.0.0.1'));
    t.same(await through({}), NUMBERS);
    const others = [await bound(), await bound()];
    const answers = others.map((socket) => inbox(socket));
    for (const [n, socket] of others.entries()) socket.send(`from ${n}`, relay.port, '127.0.0.1');
    for (const [n, { until }] of answers.entries())
      t.same(await until((all) => all.length > 0), [`re from ${n}`]);
    for (const socket of others) socket.close();
  },
);

t.test('loss takes about its share, the same datagrams for the same seed', LIMIT, async (t) => {
  const first = await (await setting(t)).through({ dropPercent: 20 });
  const again = await (await setting(t)).through({ dropPercent: 20 });
  const other = await (await setting(t, 2)).through({ dropPercent: 20 });
  t.ok(first.length > COUNT * 0.65 && first.length < COUNT * 0.95, `${first.length} passed`);
  t.same(again, first);
  t.notSame(other, first);
});

t.test('duplicates come twice, nothing is missing', LIMIT, async (t) => {
  const { relay, through } = await setting(t);
  const arrived = await through({ duplicatePercent: 30 });
  t.same([...new Set(arrived)], NUMBERS);
  t.ok(relay.counts.duplicated > 20);
  t.equal(arrived.length, COUNT + relay.counts.duplicated);
});

t.test('what is reordered is overtaken by one', LIMIT, async (t) => {
  const { relay, through } = await setting(t);
  const arrived = await through({ reorderPercent: 30 });
  t.ok(relay.counts.reordered > 20);
  const numbers = arrived.map(Number);
  t.notSame(arrived, NUMBERS);
  t.ok(numbers.every((number, n) => Math.abs(number - n) <= 1));
  // The last one may have been held back, and comes behind the mark.
  t.ok(new Set(numbers).size >= COUNT - 1);
});

t.test('what is damaged has its length, and one bit that is wrong', LIMIT, async (t) => {
  const { relay, through } = await setting(t);
  const arrived = await through({ corruptPercent: 30 });
  t.equal(arrived.length, COUNT);
  const bits = (text: string, right: string): number => {
    let wrong = 0;
    for (const [n, byte] of Buffer.from(text, 'latin1').entries()) {
      for (let rest = byte ^ right.charCodeAt(n); rest > 0; rest >>= 1) wrong += rest & 1;
    }
    return wrong;
  };
  const wrong = arrived.map((text, n) => bits(text, NUMBERS[n] ?? ''));
  t.same(new Set(wrong), new Set([0, 1]));
  t.equal(wrong.filter((count) => count === 1).length, relay.counts.corrupted);
});

t.test('a delay holds everything back, and only the way that is asked for', LIMIT, async (t) => {
  const { near, far, relay, send } = await setting(t);
  const back = inbox(near);
  far.on('message', (bytes, from) => far.send(bytes, from.port, '127.0.0.1'));
  relay.set({ delayMs: 60, way: 'back' });
  const start = performance.now();
  const arrived = once(far, 'message');
  send('hello');
  await arrived;
  await back.until((all) => all.includes('hello'));
  t.ok(performance.now() - start >= 58);
});

t.test('in a blackout nothing passes, and then it does again', LIMIT, async (t) => {
  const { relay, atFar, send } = await setting(t);
  relay.blackout();
  send('lost');
  while (relay.counts.dropped < 1) await new Promise((resolve) => setImmediate(resolve));
  relay.light();
  send('found');
  t.same(await atFar.until((all) => all.length > 0), ['found']);
  relay.blackout(30);
  for (let n = 0; !atFar.messages.includes('over'); n++) {
    t.ok(n < 1_000);
    send('over');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
});

t.test('the far end may move to another port', LIMIT, async (t) => {
  const { relay, send } = await setting(t);
  const moved = await bound();
  const there = inbox(moved);
  relay.retarget(moved.address().port);
  send('hello');
  t.same(await there.until((all) => all.length > 0), ['hello']);
  moved.close();
});
