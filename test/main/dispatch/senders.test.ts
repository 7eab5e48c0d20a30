// The sender threads as main sees them: how many there are, who is placed on which, what a life of a shard is
// handed, and what happens to one that dies or hangs (architecture §2 and §4 rule 13; decision C11). Over real
// threads, which send nothing here.
import t, { type Test } from 'tap';
import { Senders, type SendersOptions } from '../../../src/main/dispatch/senders.js';
import { silentLog } from '../../../src/main/log.js';
import { systemClock } from '../../../src/shared/clock.js';
import { DISPATCH } from '../../../src/shared/limits.js';
import type { SenderLink } from '../../../src/shared/shard-task.js';
import { makeFault, SENDER_FAULT, type FaultCommand } from '../../support/shard-faults.js';

const LIMIT = { timeout: 40_000 };

interface House {
  readonly senders: Senders;
  readonly gaveUp: () => number;
  /** Resolves as soon as it holds. */
  readonly until: (holds: () => boolean) => Promise<void>;
}

function house(t: Test, options: Partial<SendersOptions>): House {
  let gaveUp = 0;
  const senders = new Senders({
    clock: systemClock,
    log: silentLog,
    count: 1,
    most: 0,
    leadMs: 400,
    giveUp: () => gaveUp++,
    entry: new URL('../../support/faulty-sender-entry.js', import.meta.url),
    ...options,
  });
  t.teardown(() => senders.close());
  const until = async (holds: () => boolean): Promise<void> => {
    const end = performance.now() + 20_000;
    while (!holds()) {
      if (performance.now() > end) throw new Error(JSON.stringify(senders.reports()));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  return { senders, gaveUp: () => gaveUp, until };
}

/** A life of a shard that writes down what it is handed, and lets go of the ports in the end. */
function member(t: Test, senders: Senders): { told: string[]; leave: () => void } {
  const told: string[] = [];
  const links: SenderLink[] = [];
  const leave = senders.join((link) => {
    links.push(link);
    told.push(`${link.slab === null ? 'moved' : 'new'} ${String(link.sender)}`);
  });
  t.teardown(() => {
    for (const { port } of links) port.close();
  });
  return { told, leave };
}

const place = (senders: Senders, players: number): number[] =>
  Array.from({ length: players }, () => senders.place());

const upOf = (senders: Senders): number => senders.reports().filter(({ up }) => up).length;

const playersOf = (senders: Senders): number[] => senders.reports().map(({ players }) => players);

t.test('players are spread evenly, and a new one gets the sender that has the fewest', LIMIT, (t) => {
  const { senders } = house(t, { count: 3 });
  t.same(place(senders, 6), [0, 1, 2, 0, 1, 2]);
  senders.free(1);
  senders.free(1);
  t.same(playersOf(senders), [2, 0, 2]);
  t.same(place(senders, 3), [1, 1, 0]);
  t.end();
});

t.test(
  'another sender is started for each further thousand of players, and new ones go to it',
  LIMIT,
  (t) => {
    const { senders } = house(t, { most: 3 });
    const full = DISPATCH.playersPerSender;
    t.same(new Set(place(senders, full)), new Set([0]));
    t.equal(senders.place(), 1);
    t.same(playersOf(senders), [full, 1], 'who was placed before stays');
    place(senders, 3 * full);
    t.equal(senders.reports().length, 3, 'and never more than allowed');
    for (let n = 0; n < full; n++) for (const sender of [0, 1, 2]) senders.free(sender);
    t.equal(senders.reports().length, 3, 'nor fewer, once they are there');
    t.end();
  },
);

t.test('a number that was asked for is not exceeded', LIMIT, (t) => {
  const { senders } = house(t, { count: 2 });
  place(senders, 3 * DISPATCH.playersPerSender);
  t.equal(senders.reports().length, 2);
  t.end();
});

t.test('where the shards send, nobody is linked and every player has sender 0', LIMIT, (t) => {
  const { senders } = house(t, { count: 0, most: 0 });
  t.ok(senders.none);
  t.same(place(senders, 3), [0, 0, 0]);
  senders.free(0);
  t.same(member(t, senders).told, []);
  t.end();
});

t.test('every life of a shard is linked to all senders, and to those that come later', LIMIT, (t) => {
  const { senders } = house(t, { most: 2 });
  const first = member(t, senders);
  const gone = member(t, senders);
  gone.leave();
  place(senders, DISPATCH.playersPerSender + 1);
  t.same(first.told, ['new 0', 'new 1']);
  t.same(gone.told, ['new 0'], 'a life that is over hears nothing more');
  t.same(member(t, senders).told, ['new 0', 'new 1'], 'its successor is linked to all');
  t.end();
});

for (const fault of ['throw', 'exit', 'spin'] as const satisfies FaultCommand['fault'][]) {
  t.test(
    `a sender that ends by ${fault} is replaced, and every shard gets a port to the successor`,
    LIMIT,
    async (t) => {
      const { senders, gaveUp, until } = house(t, { count: 2 });
      const shards = [member(t, senders), member(t, senders)];
      await until(() => upOf(senders) === 2);
      makeFault({ shard: SENDER_FAULT + 1, fault, ms: 60_000 });
      await until(() => shards.every(({ told }) => told.length === 3));
      t.same(
        shards.map(({ told }) => told),
        [
          ['new 0', 'new 1', 'moved 1'],
          ['new 0', 'new 1', 'moved 1'],
        ],
      );
      t.match(senders.reports(), [{ restarts: 0 }, { restarts: 1 }], 'the other one lives');
      await until(() => upOf(senders) === 2);
      t.equal(gaveUp(), 0);
    },
  );
}

t.test('a sender that hangs in native code is given up: nothing can end it', LIMIT, async (t) => {
  const { senders, gaveUp, until } = house(t, { count: 1 });
  await until(() => upOf(senders) === 1);
  makeFault({ shard: SENDER_FAULT, fault: 'block', ms: 8_000 });
  await until(() => gaveUp() > 0);
  t.equal(gaveUp(), 1);
  t.match(senders.reports(), [{ restarts: 0 }], 'it still hangs');
});

t.test('a sender that has nothing to do is not taken for one that hangs', LIMIT, async (t) => {
  const { senders, until } = house(t, { count: 1 });
  await until(() => upOf(senders) === 1);
  const wait = systemClock.now() + 2 * DISPATCH.wedgedAfter;
  await until(() => systemClock.now() > wait);
  t.match(senders.reports(), [{ restarts: 0 }]);
});
