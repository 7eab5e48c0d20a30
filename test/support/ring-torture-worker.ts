// One of the two threads of the send ring's torture: all rings, either as their shard or as their sender. Every
// so many atomic operations it dies: the thread really, while the ledger grants kills, else by losing everything
// but the shared memory and starting again. Started by ring-torture.ts, for nothing else.
import { workerData } from 'node:worker_threads';
import type { SlabLayout } from '../../src/shared/send-ring.js';
import { Death, liveFor, makeMortal } from './ring-death.js';
import { faultyReader, faultyWriter, type RingFault } from './ring-faults.js';
import { RingFeeder } from './ring-feeder.js';
import { random, RingLedger, spin, Stat } from './ring-ledger.js';
import { RingReceiver } from './ring-receiver.js';

export interface TortureTask {
  readonly role: 'feed' | 'receive';
  readonly slab: SlabLayout;
  readonly ledger: SharedArrayBuffer;
  readonly flushes: number;
  /** Atomic operations from one death to the next, on average. */
  readonly operations: number;
  readonly fault: RingFault | null;
}

const { role, slab, ledger: memory, flushes, operations, fault } = workerData as TortureTask;
const ledger = new RingLedger(slab, memory);
const everyRing = Array.from({ length: slab.rings }, (_, index) => index);
const cell = new Int32Array(new SharedArrayBuffer(4));
const nap = (): void => void Atomics.wait(cell, 0, 0, 0.05);

function feed(): void {
  const feeders = everyRing.map((ring) => new RingFeeder(faultyWriter(slab, ring, fault), ledger));
  let round = ledger.count(Stat.rounds);
  for (let turn = 1; ledger.count(Stat.flushes) < flushes; turn++) {
    feeders[random(feeders.length)]?.turn();
    if (turn % 8 === 0) spin(random(8));
    // Never far ahead of the receiver: flushes that meet nobody prove little.
    if (turn % slab.rings === 0) {
      for (let waits = 0; ledger.count(Stat.rounds) === round; waits++) {
        if (waits < 3) spin(5);
        else nap();
      }
      round = ledger.count(Stat.rounds);
    }
  }
  Atomics.store(ledger.stats, Stat.done, 1);
}

function receive(): void {
  const receivers = everyRing.map((ring) => new RingReceiver(faultyReader(slab, ring, fault), ledger));
  for (;;) {
    const done = ledger.count(Stat.done) === 1;
    let active = false;
    for (const receiver of receivers) {
      for (let most = 1 + random(3); most > 0 && receiver.turn(); most--) active = true;
      if (!receiver.idle) active = true;
    }
    ledger.add(Stat.rounds);
    if (done && !active) return;
    spin(random(6));
  }
}

const [run, deaths, kills] =
  role === 'feed'
    ? [feed, Stat.feederDeaths, Stat.feederKills]
    : [receive, Stat.receiverDeaths, Stat.receiverKills];
makeMortal();
for (let alive = true; alive;) {
  liveFor(1 + random(2 * operations));
  try {
    run();
    alive = false;
  } catch (error) {
    liveFor(Infinity);
    if (!(error instanceof Death)) throw error;
    ledger.add(deaths);
    if (ledger.count(kills) > 0 && random(4) === 0) {
      ledger.add(kills, -1);
      throw error;
    }
  }
}
