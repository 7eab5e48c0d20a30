// Placement and the allowance of restarts, as plain functions.
import t from 'tap';
import { cheapest, type Candidate } from '../../../src/main/dispatch/placement.js';
import { Restarts } from '../../../src/main/dispatch/restarts.js';

class Shard implements Candidate {
  up = true;
  fresh = 0;
  constructor(
    readonly index: number,
    public busy = 0,
    public settled = 0,
  ) {}
  get players(): number {
    return this.settled + this.fresh;
  }
  cost(perPlayer: number): number {
    return this.busy + this.fresh * perPlayer;
  }
}

t.test('players spread evenly over idle shards', { timeout: 5_000 }, async (t) => {
  const shards = [new Shard(0), new Shard(1), new Shard(2)];
  for (let n = 0; n < 30; n++) {
    const shard = cheapest(shards, 150);
    if (shard) shard.fresh++;
  }
  t.same(
    shards.map((shard) => shard.fresh),
    [10, 10, 10],
  );
});

t.test(
  'a shard that works harder gets fewer players, whatever their number',
  { timeout: 5_000 },
  async (t) => {
    const shards = [new Shard(0, 0.6, 20), new Shard(1, 0.1, 40)];
    t.equal(cheapest(shards, 150)?.index, 1);
  },
);

t.test('a shard that is down gets none, and without any there is no place', { timeout: 5_000 }, async (t) => {
  const shards = [new Shard(0), new Shard(1, 0.9)];
  const [first, second] = shards;
  if (first) first.up = false;
  t.equal(cheapest(shards, 150)?.index, 1);
  if (second) second.up = false;
  t.equal(cheapest(shards, 150), null);
});

t.test('a full shard is taken only when all are full', { timeout: 5_000 }, async (t) => {
  const shards = [new Shard(0, 0, 150), new Shard(1, 0.9, 10)];
  t.equal(cheapest(shards, 150)?.index, 1);
  t.equal(cheapest([new Shard(0, 0, 150)], 150)?.index, 0);
});

t.test(
  'restarts wait longer each time and are refused after five in half a minute',
  { timeout: 5_000 },
  async (t) => {
    const restarts = new Restarts();
    t.same(
      [0, 1_000, 2_000, 3_000, 4_000, 5_000].map((now) => restarts.next(now)),
      [250, 500, 1_000, 2_000, 4_000, null],
    );
    t.equal(restarts.next(34_500), 250, 'the window has passed');
  },
);
