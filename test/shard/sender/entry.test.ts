// A sender as a real thread: rings in shared memory, control over ports, packets over loopback to a socket of
// the test. Judges order, counts and ends; a deadline only with much slack.

import dgram from 'node:dgram';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { MessageChannel, Worker } from 'node:worker_threads';
import t, { type Test } from 'tap';
import { DRIVER } from '../../../src/shared/driver-words.js';
import { slabFor } from '../../../src/shared/ring-plan.js';
import { RingControl } from '../../../src/shared/send-ring.js';
import { SENDER_WORDS, type SenderOrder, type SenderTask } from '../../../src/shared/sender-task.js';
import { SenderPort } from '../../../src/shard/sender/sender-port.js';
import { Shard } from './sender-setting.js';

const LIMIT = { timeout: 30_000 };
const ENTRY = new URL('../../../src/shard/sender/entry.js', import.meta.url);

interface Arrival {
  readonly at: number;
  readonly bytes: Buffer;
  readonly from: dgram.RemoteInfo;
}

/** Things that come about in other threads: whoever waits is asked again after each. */
class Happenings {
  #waiting: (() => void)[] = [];

  happened(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const look of waiting) look();
  }

  async until(is: () => boolean): Promise<void> {
    while (!is()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

function startSender(t: Test, index = 0, execArgv: string[] = []) {
  const memory = new SharedArrayBuffer(SENDER_WORDS * Float64Array.BYTES_PER_ELEMENT);
  const counters = new Float64Array(memory);
  const task: SenderTask = { index, counters: memory, nice: null };
  const worker = new Worker(ENTRY, { workerData: task, execArgv });
  const exit = once(worker, 'exit') as Promise<[number]>;
  t.teardown(() => worker.terminate());
  const order = (message: SenderOrder): void => worker.postMessage(message, [message.port]);
  return { worker, counters, exit, order };
}

async function setting(t: Test, index = 0, execArgv: string[] = []) {
  const happenings = new Happenings();
  const far = dgram.createSocket('udp4');
  const arrived: Arrival[] = [];
  far.on('message', (bytes, from) => {
    arrived.push({ at: performance.now(), bytes, from });
    happenings.happened();
  });
  far.bind(0, '127.0.0.1');
  await once(far, 'listening');
  t.teardown(() => far.close());
  const sender = startSender(t, index, execArgv);
  const slab = slabFor(400, 8);
  const { port1, port2 } = new MessageChannel();
  sender.order({ op: 'attach', port: port2, slab });
  const heard: string[] = [];
  const hear = (what: string): void => {
    heard.push(what);
    happenings.happened();
  };
  const control = new SenderPort(port1, {
    discovered: (ring, address, port) => hear(`discovered ${ring} ${address} ${port}`),
    quiet: (ring) => hear(`quiet ${ring}`),
    closed: (ring) => hear(`closed ${ring}`),
  });
  t.teardown(() => port1.close());
  const port = far.address().port;
  /** The packets of a ring: neither keepalive nor discovery. */
  const packets = (ring: number): Arrival[] =>
    arrived.filter(({ bytes }) => bytes.length === 2 && bytes[0] === ring);
  return {
    ...sender,
    far,
    port,
    arrived,
    packets,
    slab,
    control,
    heard,
    until: happenings.until.bind(happenings),
  };
}

const numbered = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
const numbersOf = (packets: readonly Arrival[]): (number | undefined)[] =>
  packets.map(({ bytes }) => bytes[1]);

t.test('a ring is played over the wire from discovery to its end', LIMIT, async (t) => {
  const s = await setting(t);
  const shard = new Shard(s.slab, 3);
  s.control.discover(3, '127.0.0.1', s.port, 0x0102_0304);
  await s.until(() => s.arrived.some(({ bytes }) => bytes.length === 74));
  const request = s.arrived[0];
  t.equal(request?.bytes.readUInt32BE(4), 0x0102_0304);
  const answer = Buffer.from(request?.bytes ?? []);
  answer.writeUInt16BE(2, 0);
  answer.write('127.0.0.1', 8, 'latin1');
  answer.writeUInt16BE(request?.from.port ?? 0, 72);
  s.far.send(answer, request?.from.port ?? 0, '127.0.0.1');
  await s.until(() => s.heard.length === 1);
  t.equal(s.heard[0], `discovered 3 127.0.0.1 ${request?.from.port}`);

  s.control.open(3, '127.0.0.1', s.port, null);
  shard.fill(10);
  s.control.start(3);
  for (let filled = 10; filled < 45; filled++) {
    await s.until(() => s.packets(3).length > filled - 10);
    shard.fill(1);
  }
  shard.finish();
  await s.until(() => s.heard.includes('quiet 3') && s.packets(3).length === 50);
  t.same(numbersOf(s.packets(3)), numbered(50));
  const times = s.packets(3).map(({ at }) => at);
  const lasted = (times[49] ?? NaN) - (times[0] ?? NaN);
  t.ok(lasted > (49 * 20) / 3, `50 packets in ${lasted} ms are not a burst`);
  t.equal(s.counters[DRIVER.sent], 45);
  t.equal(s.counters[DRIVER.silence], 5);
  t.ok(s.arrived.some(({ bytes }) => bytes.toString('hex') === '1337cafe00000000'));

  shard.writer.close();
  s.control.close(3);
  await s.until(() => s.heard.includes('closed 3'));
  t.equal(shard.writer.control, RingControl.closed);
});

t.test('when a shard is gone, what it had sealed still leaves', LIMIT, async (t) => {
  const s = await setting(t);
  const shard = new Shard(s.slab, 0);
  s.control.open(0, '127.0.0.1', s.port, null);
  shard.fill(12);
  s.control.start(0);
  await s.until(() => s.packets(0).length > 0);
  s.control.disconnect();
  await s.until(() => s.packets(0).length === 12);
  t.same(numbersOf(s.packets(0)), numbered(12));
});

t.test('when a sender dies another one plays on, without a packet twice', LIMIT, async (t) => {
  const s = await setting(t);
  const shard = new Shard(s.slab, 0);
  s.control.open(0, '127.0.0.1', s.port, null);
  shard.fill(25);
  s.control.start(0);
  await s.until(() => s.packets(0).length >= 3);
  await s.worker.terminate();
  const next = startSender(t, 1);
  const { port1, port2 } = new MessageChannel();
  next.order({ op: 'attach', port: port2, slab: s.slab });
  s.control.moveTo(port1);
  t.teardown(() => port1.close());
  shard.finish();
  await s.until(() => s.heard.includes('quiet 0') && s.packets(0).at(-1)?.bytes[1] === 29);
  const numbers = numbersOf(s.packets(0));
  t.equal(new Set(numbers).size, numbers.length);
  t.ok(numbers.length >= 29, 'at most the one is lost that it had in its hands');
  t.same(
    numbers,
    [...numbers].sort((a, b) => (a ?? 0) - (b ?? 0)),
  );
});

t.test('a socket that queues every packet damages none', LIMIT, async (t) => {
  // Node's own switch for tests: each send goes through the queue that a full kernel buffer would use.
  const s = await setting(t, 0, ['--test-udp-no-try-send']);
  const shards = numbered(8).map((ring) => new Shard(s.slab, ring));
  for (const shard of shards) {
    s.control.open(shard.index, '127.0.0.1', s.port, null);
    shard.fill(4);
    s.control.start(shard.index);
  }
  for (let filled = 4; filled < 40; filled++) {
    await s.until(() => shards.every(({ index }) => s.packets(index).length > filled - 4));
    for (const shard of shards) shard.fill(1);
  }
  await s.until(() => shards.every(({ index }) => s.packets(index).length === 40));
  for (const { index } of shards) t.same(numbersOf(s.packets(index)), numbered(40));
});

t.test('the thread bears its name', { ...LIMIT, skip: process.platform !== 'linux' }, async (t) => {
  const s = await setting(t, 7);
  const shard = new Shard(s.slab, 0);
  shard.writer.close();
  s.control.close(0);
  await s.until(() => s.heard.length > 0);
  const tasks = await readdir('/proc/self/task');
  const names = await Promise.all(
    tasks.map((task) => readFile(`/proc/self/task/${task}/comm`, 'utf8').catch(() => '')),
  );
  t.ok(names.includes('pumice-snd7\n'));
});
