// Claims about the watchdog on a clock moved by hand: it bites a pulse that stands still, and nothing else
// (reliability.md case 9 and §6.3).
import t from 'tap';
import { Watchdog } from '../../../src/main/dispatch/watchdog.js';
import { ManualClock } from '../../support/manual-clock.js';

const LIMIT = { timeout: 10_000 };

interface Heart {
  readonly name: string;
  pulse: number | null;
}

function watch(...names: string[]): {
  clock: ManualClock;
  hearts: Heart[];
  told: string[];
  dog: Watchdog<Heart>;
} {
  const clock = new ManualClock();
  const hearts = names.map((name) => ({ name, pulse: 0 }));
  const told: string[] = [];
  const dog = new Watchdog<Heart>(clock, hearts, ({ name }) => told.push(name));
  return { clock, hearts, told, dog };
}

/** Lets time pass while every heart but those named beats once in half a second. */
function live(clock: ManualClock, hearts: Heart[], ms: number, still: string[] = []): void {
  for (let passed = 0; passed < ms; passed += 500) {
    clock.advance(500);
    for (const heart of hearts) if (heart.pulse !== null && !still.includes(heart.name)) heart.pulse++;
  }
}

t.test('a pulse that stands still for two seconds is told, once', LIMIT, (t) => {
  const { clock, hearts, told } = watch('a', 'b');
  live(clock, hearts, 5_000);
  t.strictSame(told, []);
  live(clock, hearts, 1_500, ['a']);
  t.strictSame(told, [], 'not before');
  live(clock, hearts, 1_000, ['a']);
  t.strictSame(told, ['a']);
  live(clock, hearts, 10_000, ['a']);
  t.strictSame(told, ['a']);
  t.end();
});

t.test('for how long a pulse has stood still can be asked', LIMIT, (t) => {
  const { clock, hearts, dog } = watch('a', 'b');
  live(clock, hearts, 3_000, ['a']);
  const [a, b] = hearts.map((heart) => dog.stillFor(heart));
  t.ok((a ?? NaN) >= 2_500 && (a ?? NaN) <= 3_000, `${String(a)} ms`);
  t.ok((b ?? NaN) <= 500, `${String(b)} ms`);
  t.equal(dog.stillFor({ name: 'nobody', pulse: 0 }), 0);
  t.end();
});

t.test('a pause of the whole process is no fault of the shards, however long and often', LIMIT, (t) => {
  const { clock, hearts, told } = watch('a', 'b');
  for (let n = 0; n < 20; n++) {
    clock.stall(10_000);
    live(clock, hearts, 500);
  }
  t.strictSame(told, []);
  clock.stall(10_000);
  live(clock, hearts, 2_500, ['b']);
  t.strictSame(told, ['b'], 'a shard that does not come back from it is found all the same');
  t.end();
});

t.test('a shard that is not there is not watched, and its replacement anew', LIMIT, (t) => {
  const { clock, hearts, told } = watch('a');
  const [heart] = hearts;
  if (!heart) throw new Error('no heart');
  heart.pulse = null;
  live(clock, hearts, 20_000);
  t.strictSame(told, []);
  heart.pulse = 7;
  live(clock, hearts, 1_500, ['a']);
  t.strictSame(told, []);
  live(clock, hearts, 1_500, ['a']);
  t.strictSame(told, ['a']);
  heart.pulse = null;
  live(clock, hearts, 500);
  heart.pulse = 7;
  live(clock, hearts, 3_000, ['a']);
  t.strictSame(told, ['a', 'a'], 'once per life');
  t.end();
});

t.test('a watchdog that was stopped looks no more', LIMIT, (t) => {
  const { clock, hearts, told, dog } = watch('a');
  live(clock, hearts, 1_000);
  dog.stop();
  live(clock, hearts, 10_000, ['a']);
  t.strictSame(told, []);
  t.equal(clock.pending, 0);
  t.end();
});
