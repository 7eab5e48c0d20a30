// Claims about commands that come twice (architecture §8 seam 2): executed once, answered alike; and about those
// that come when nobody waits for them any more.
import fc from 'fast-check';
import t from 'tap';
import { ServerError } from '../../src/shared/errors.js';
import { DISPATCH } from '../../src/shared/limits.js';
import type { CommandOp, PlayerCommand } from '../../src/shared/shard-commands.js';
import { ReplyCache } from '../../src/shard/reply-cache.js';
import { createBody, House, play, VOICE } from '../support/shard-house.js';

const LIMIT = { timeout: 20_000 };

/** What an answer came to. */
async function outcome(answer: Promise<unknown>): Promise<string> {
  return answer.then(
    (value) => `value ${JSON.stringify(value)}`,
    (thrown: unknown) => `error ${(thrown as ServerError).code} ${(thrown as ServerError).message}`,
  );
}

t.test(
  'in any interleaving of commands and repeats each id is executed once and answered alike',
  LIMIT,
  async (t) => {
    const step = fc.oneof(
      // Sent for the first time or again; the smaller, the likelier a repeat.
      fc.record({ do: fc.constant('send' as const), player: fc.constantFrom('a', 'b'), id: fc.nat(20) }),
      fc.record({ do: fc.constant('settle' as const), place: fc.nat(5), fails: fc.boolean() }),
      fc.constant({ do: 'turn' as const }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.boolean(), async (steps, isHere) => {
        const cache = new ReplyCache({ isHere: () => isHere });
        const executed = new Map<string, number>();
        const answers = new Map<string, Promise<string>[]>();
        const open: ((fails: boolean) => void)[] = [];
        for (const one of steps) {
          if (one.do === 'turn') await new Promise((resolve) => setImmediate(resolve));
          if (one.do === 'settle') open.splice(one.place, 1)[0]?.(one.fails);
          if (one.do !== 'send') continue;
          const key = `${one.player} ${String(one.id)}`;
          const answer = cache.answer(one.player, one.id, () => {
            executed.set(key, (executed.get(key) ?? 0) + 1);
            return new Promise((resolve, reject) => {
              open.push((fails) => {
                if (fails) reject(new ServerError('PUM_VOICE_FULL', { limit: one.id }));
                else resolve({ connected: true, id: one.id });
              });
            });
          });
          answers.set(key, [...(answers.get(key) ?? []), outcome(answer)]);
        }
        for (const settle of open) settle(false);
        for (const [key, told] of answers) {
          const different = new Set(await Promise.all(told));
          if (different.size !== 1 || executed.get(key) !== 1) return false;
        }
        return true;
      }),
      { numRuns: 300 },
    );
    t.pass();
  },
);

t.test(
  'the answers of a player are bounded, and those of players that are gone as well',
  LIMIT,
  async (t) => {
    const here = new Set(['a']);
    const cache = new ReplyCache({ isHere: (player) => here.has(player) });
    let executed = 0;
    const ask = (player: string, id: number): Promise<unknown> =>
      cache.answer(player, id, () => Promise.resolve(executed++));
    for (let id = 0; id <= DISPATCH.repliesPerPlayer; id++) await ask('a', id);
    t.equal(await ask('a', 1), 1, 'the last 64 are kept');
    t.equal(await ask('a', 0), DISPATCH.repliesPerPlayer + 1, 'the one before is not');
    for (let n = 0; n < 3 * DISPATCH.repliesOfGone; n++) await ask(`gone${String(n)}`, n);
    t.equal(cache.players, DISPATCH.repliesOfGone + 1);
    const before = executed;
    await ask('a', 5);
    await ask(`gone${String(3 * DISPATCH.repliesOfGone - 1)}`, 3 * DISPATCH.repliesOfGone - 1);
    t.equal(executed, before);
  },
);

t.test('a player that comes back is not forgotten with those that are gone', LIMIT, async (t) => {
  const here = new Set<string>();
  const cache = new ReplyCache({ isHere: (player) => here.has(player), playersGone: 2 });
  await cache.answer('a', 1, () => Promise.resolve('first'));
  here.add('a');
  await cache.answer('a', 2, () => Promise.resolve('second'));
  for (let n = 0; n < 10; n++) await cache.answer(`gone${String(n)}`, n, () => Promise.resolve(null));
  t.equal(await cache.answer('a', 2, () => Promise.resolve('executed again')), 'second');
});

t.test(
  'a shard executes a repeated command once, also while it is under way and when its player is gone',
  LIMIT,
  async (t) => {
    const house = new House();
    let id = 100;
    let rev = 0;
    const command = (op: CommandOp): PlayerCommand => ({
      ...op,
      v: 1,
      id: id++,
      player: 'p',
      epoch: 1,
      rev: ++rev,
      ttlMs: 5_000,
    });
    const twice = async (op: CommandOp): Promise<unknown> => {
      const sent = command(op);
      const first = house.shard.command(sent);
      const second = house.shard.command(sent);
      // An end takes the time of its silence.
      await house.run(10);
      const third = house.shard.command(sent);
      const told = await Promise.all([first, second, third].map(outcome));
      t.equal(new Set(told).size, 1, told[0] ?? '');
      return told[0];
    };
    t.equal(await twice({ op: 'create', body: createBody() }), 'value null');
    t.equal(await twice({ op: 'update', body: { voice: VOICE, track: play() } }), 'value {"connected":true}');
    t.equal(house.driver.connections.length, 1);
    t.equal(await twice({ op: 'destroy', body: {} }), 'value null');
    t.strictSame(house.types, ['voiceReady', 'trackStart', 'trackLength', 'trackEnd stopped', 'voiceClosed']);
  },
);

t.test('a command that nobody waits for any more is refused, an end is not', LIMIT, async (t) => {
  const house = new House();
  let id = 200;
  const command = (op: CommandOp, rev: number, age: number): PlayerCommand => ({
    ...op,
    v: 1,
    id: id++,
    player: 'p',
    epoch: 1,
    rev,
    ttlMs: 1_000,
    sentAt: house.clock.now() - age,
  });
  const create: CommandOp = { op: 'create', body: createBody() };
  const late = command(create, 1, 1_001);
  await t.rejects(house.shard.command(late), { code: 'PUM_COMMAND_DEADLINE' });
  t.equal(house.shard.players, 0);
  await t.rejects(house.shard.command(late), { code: 'PUM_COMMAND_DEADLINE' }, 'and when it is repeated');
  await house.shard.command(command(create, 2, 1_000));
  t.equal(house.shard.players, 1);
  const volume: CommandOp = { op: 'update', body: { volume: 50 } };
  await t.rejects(house.shard.command(command(volume, 3, 5_000)), { code: 'PUM_COMMAND_DEADLINE' });
  await house.shard.command(command({ op: 'release', body: {} }, 4, 5_000));
  t.equal(house.shard.players, 0);
});
