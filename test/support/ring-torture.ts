// The torture of the send ring: two real threads at full speed on one slab, one as a shard that plays, flushes,
// pauses and removes at random, one as a sender that looks at every packet; both die again and again. Used by its
// test and by `npm run bench -- ring`. No sockets.
import { Worker } from 'node:worker_threads';
import { RingWord } from '../../src/shared/ring-words.js';
import { createSlab } from '../../src/shared/send-ring.js';
import { DEATH } from './ring-death.js';
import type { RingFault } from './ring-faults.js';
import { noteFresh } from './ring-receiver.js';
import { Entry, random, RingLedger, Stat } from './ring-ledger.js';
import type { TortureTask } from './ring-torture-worker.js';

export interface TortureOptions {
  readonly flushes: number;
  /** Threads that really end, of each role: half by an error before an atomic operation, half from outside. */
  readonly kills: number;
  /** Atomic operations from one death to the next, on average. */
  readonly operations: number;
  readonly fault?: RingFault;
  /** Milliseconds after which it counts as failed. */
  readonly ceiling: number;
}

export interface TortureReport {
  /** What was seen first, null if nothing. */
  readonly wrong: string | null;
  readonly flushes: number;
  readonly openClaims: number;
  readonly sent: number;
  readonly held: number;
  readonly pauses: number;
  readonly lives: number;
  readonly exhausted: number;
  /** Times a packet had to wait for a slot, and for bytes. */
  readonly full: { readonly packets: number; readonly bytes: number };
  readonly deaths: { readonly feeder: number; readonly receiver: number; readonly threads: number };
  readonly skipped: number;
}

const RINGS = 24;
const SLOTS = 32;
const RING_BYTES = 4_096;
/** Heads just below the points where an Int32, its unsigned twin and the 16 bits of the span wrap. */
const HEADS = [0, 2 ** 31 - 32, 2 ** 32 - 20, 0xfff0, 0x7ff0, 0x3fffffe0];

export async function torture(options: TortureOptions): Promise<TortureReport> {
  const slab = createSlab(
    RINGS,
    SLOTS,
    RING_BYTES,
    options.fault === undefined ? RING_BYTES / 2 : RING_BYTES,
  );
  const ledger = new RingLedger(slab);
  for (let ring = 0; ring < RINGS; ring++) {
    const head = HEADS[ring % HEADS.length] ?? 0;
    ledger.slabWords[ledger.place(ring, RingWord.head)] = head;
    ledger.slabWords[ledger.place(ring, RingWord.span)] = (head << 16) | (head & 0xffff);
    noteFresh(ledger, ring);
  }
  ledger.add(Stat.feederKills, Math.ceil(options.kills / 2));
  ledger.add(Stat.receiverKills, Math.ceil(options.kills / 2));

  let wrong: string | null = null;
  let threads = 0;
  const running = new Set<Worker>();
  const fail = (what: string): void => {
    wrong ??= what;
    for (const worker of running) void worker.terminate();
  };
  const live = async (role: TortureTask['role'], killsFromOutside: number): Promise<void> => {
    for (let left = killsFromOutside; wrong === null;) {
      const task: TortureTask = {
        role,
        slab,
        ledger: ledger.memory,
        flushes: options.flushes,
        operations: options.operations,
        fault: options.fault ?? null,
      };
      const worker = new Worker(new URL('./ring-torture-worker.js', import.meta.url), { workerData: task });
      running.add(worker);
      let killed = false;
      const axe = (): void => {
        if (left-- <= 0) return;
        killed = true;
        void worker.terminate();
      };
      let timer: NodeJS.Timeout | undefined;
      worker.once('online', () => (timer = setTimeout(axe, 5 + random(60))));
      const planned = await new Promise<boolean>((resolve) => {
        let ended = false;
        worker.once('error', (error: unknown) => {
          ended = error instanceof Error && error.message === DEATH;
          if (!ended) fail(error instanceof Error ? error.message : String(error));
        });
        // Only now is nothing of it running any more, and the next may adopt its rings.
        worker.once('exit', () => resolve(ended || killed));
      });
      clearTimeout(timer);
      running.delete(worker);
      if (!planned) return;
      threads++;
    }
  };
  const alarm = setTimeout(() => fail(`not done after ${options.ceiling} ms`), options.ceiling);
  await Promise.all([live('feed', options.kills / 2), live('receive', options.kills / 2)]);
  clearTimeout(alarm);

  wrong ??= remains(ledger);
  const count = (stat: number): number => ledger.count(stat);
  return {
    wrong,
    flushes: count(Stat.flushes),
    openClaims: count(Stat.openClaims),
    sent: count(Stat.sent),
    held: count(Stat.held),
    pauses: count(Stat.pauses),
    lives: count(Stat.lives),
    exhausted: count(Stat.exhausted),
    full: { packets: count(Stat.fullOfPackets), bytes: count(Stat.fullOfBytes) },
    deaths: { feeder: count(Stat.feederDeaths), receiver: count(Stat.receiverDeaths), threads },
    skipped: count(Stat.skipped),
  };
}

/** What is not as it must be when both have ended. */
function remains(ledger: RingLedger): string | null {
  for (let ring = 0; ring < RINGS; ring++) {
    const span = ledger.span(ring);
    if (ledger.claimOpen(ring) || span >>> 16 !== (span & 0xffff)) return `ring ${ring} is not drained`;
    if (ledger.get(ring, Entry.life) === 0) return `ring ${ring} was never used`;
  }
  return null;
}
