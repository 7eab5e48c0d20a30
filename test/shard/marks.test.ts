// The marks of what a player has queued, against a plain array, and that a player without any has no room for them.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import t from 'tap';
import { Marks } from '../../src/shard/marks.js';
import { FrameMode } from '../../src/shard/voice/driver.js';

type Step =
  | { do: 'push'; generation: number }
  | { do: 'shift' }
  | { do: 'takeBack'; count: number; generation: number }
  | { do: 'clear' };

const anyGeneration = fc.nat(2);
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: anyGeneration.map((generation): Step => ({ do: 'push', generation })) },
  { weight: 4, arbitrary: fc.constant<Step>({ do: 'shift' }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.nat(20), anyGeneration)
      .map(([count, generation]): Step => ({ do: 'takeBack', count, generation })),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'clear' }) },
);

t.test('marks come out in the order in which they went in', { timeout: 20_000 }, async (t) => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 400 }), (steps) => {
      const marks = new Marks();
      let model: { start: number; generation: number }[] = [];
      let start = 0;
      for (const step of steps) {
        switch (step.do) {
          case 'push':
            if (model.length === 128) break;
            marks.push(++start, step.generation, FrameMode.encoded);
            model.push({ start, generation: step.generation });
            break;
          case 'shift':
            marks.shift();
            model.shift();
            break;
          case 'takeBack': {
            const gone = model.splice(Math.max(0, model.length - step.count));
            const own = gone.filter(({ generation }) => generation === step.generation);
            const back = marks.takeBack(step.count, step.generation);
            if ((back?.count ?? 0) !== own.length || back?.start !== own[0]?.start) return false;
            break;
          }
          case 'clear':
            marks.clear();
            model = [];
        }
        if (marks.count !== model.length) return false;
        const [oldest] = model;
        if (oldest === undefined) continue;
        if (marks.start !== oldest.start || marks.generation !== oldest.generation) return false;
        if (marks.mode !== FrameMode.encoded || marks.newest !== model.at(-1)?.generation) return false;
      }
      return true;
    }),
    { numRuns: 300 },
  );
  t.pass();
});

t.test('a player that plays nothing has no room for marks', { timeout: 10_000 }, async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const held = (): number => {
    // Buffers are freed beside the collection that has found them.
    collect();
    collect();
    return process.memoryUsage().arrayBuffers;
  };
  const PLAYERS = 1_000;
  const base = held();
  const players = Array.from({ length: PLAYERS }, () => new Marks());
  t.ok(held() - base < PLAYERS * 10, 'none at first');
  for (const marks of players) marks.push(0, 1, FrameMode.encoded);
  t.ok(held() - base > PLAYERS * 1_000, 'with the first frame');
  for (const marks of players) marks.clear();
  t.ok(held() - base < PLAYERS * 10, 'none after it has left its channel');
});
