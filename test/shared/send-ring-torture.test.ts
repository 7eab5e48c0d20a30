// The send ring between two real threads that die: 10⁵ flushes and every packet looked at, then the same with
// mistakes planted, each of which has to be seen. `npm run bench -- ring` does 10⁶.
import t from 'tap';
import { RING_FAULTS } from '../support/ring-faults.js';
import { torture } from '../support/ring-torture.js';

t.test('100,000 flushes lose, double, reorder and tear nothing', { timeout: 60_000 }, async (t) => {
  const report = await torture({ flushes: 100_000, kills: 16, operations: 20_000, ceiling: 50_000 });
  t.comment(JSON.stringify(report));
  t.equal(report.wrong, null);
  // A run that met nobody would prove nothing.
  t.ok(report.flushes >= 100_000);
  t.ok(report.openClaims > 500, 'flushes met open claims');
  t.ok(report.sent > 50_000);
  t.ok(report.full.packets > 50 && report.full.bytes > 50, 'rings were full of packets and of bytes');
  t.ok(report.lives > 100 && report.exhausted > 10, 'rings were begun again, nonces ran out');
  t.ok(report.deaths.feeder > 50 && report.deaths.receiver > 50);
  t.ok(report.deaths.threads >= 16, 'threads really ended');
  t.ok(report.skipped > 50, 'successors found open claims');
});

for (const fault of RING_FAULTS) {
  t.test(`the torture sees ${fault}`, { timeout: 30_000 }, async (t) => {
    const report = await torture({ flushes: 200_000, kills: 0, operations: 5_000, ceiling: 25_000, fault });
    t.comment(`${report.wrong ?? 'nothing'} (${report.flushes} flushes)`);
    t.type(report.wrong, 'string');
    t.notMatch(report.wrong, /not done/);
  });
}
