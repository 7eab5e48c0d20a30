// Claims about the statistics every view shares (lavalink-v4.md §1.3).
import t from 'tap';
import type { Machine } from '../../src/main/machine.js';
import { Stats } from '../../src/main/stats.js';
import { FakeFleet } from '../support/fake-fleet.js';
import { fixedMachine } from '../support/main-node.js';
import { ManualClock } from '../support/manual-clock.js';

function statsOn(machine: Machine, clock = new ManualClock()) {
  const fleet = new FakeFleet(clock);
  const counts = { players: 3, playingPlayers: 2 };
  return { stats: new Stats({ clock, machine, counts: () => counts, shards: () => fleet.reports() }), clock };
}

t.test("the report has the protocol's fields in its order", { timeout: 10_000 }, (t) => {
  const { stats } = statsOn(fixedMachine, new ManualClock(1234.5));
  t.equal(
    JSON.stringify(stats.report(null)),
    '{"frameStats":null,"players":3,"playingPlayers":2,"uptime":1234,' +
      '"memory":{"free":37000,"used":13000,"allocated":50000,"reservable":1000000},' +
      '"cpu":{"cores":2,"systemLoad":0,"lavalinkLoad":0}}',
  );
  t.end();
});

t.test('used memory never exceeds what is allocated', { timeout: 10_000 }, (t) => {
  const { stats } = statsOn({ ...fixedMachine, memory: () => ({ used: 60_000, resident: 50_000 }) });
  const { used, free } = stats.memory();
  t.strictSame({ used, free }, { used: 50_000, free: 0 });
  t.end();
});

t.test('loads are 0 at first and measured at most every 30 s', { timeout: 10_000 }, (t) => {
  let process = 0;
  let busy = 0;
  const { stats, clock } = statsOn({
    ...fixedMachine,
    processTime: () => process,
    systemTime: () => ({ busy, total: busy * 4 }),
  });
  t.strictSame(stats.cpu(), { cores: 2, systemLoad: 0, lavalinkLoad: 0 });
  clock.advance(29_999);
  process = 15_000;
  busy = 100;
  t.equal(stats.cpu().lavalinkLoad, 0);
  clock.advance(1);
  t.strictSame(stats.cpu(), { cores: 2, systemLoad: 0.25, lavalinkLoad: 0.25 });
  clock.advance(30_000);
  t.strictSame(stats.cpu(), { cores: 2, systemLoad: 0, lavalinkLoad: 0 });
  t.end();
});
