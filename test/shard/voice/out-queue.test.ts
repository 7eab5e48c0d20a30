// The frames of a connection that have not left yet, against a plain array.
import fc from 'fast-check';
import t from 'tap';
import { EntryKind, OutQueue } from '../../../src/shard/voice/out-queue.js';

type Step = { do: 'push'; kind: EntryKind } | { do: 'shift' } | { do: 'cut'; keep: number } | { do: 'seal' };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc
    .constantFrom(EntryKind.frame, EntryKind.silence, EntryKind.lastSilence)
    .map((kind): Step => ({ do: 'push', kind })),
  fc.constant<Step>({ do: 'shift' }),
  fc.nat(130).map((keep): Step => ({ do: 'cut', keep })),
  fc.constant<Step>({ do: 'seal' }),
);

t.test('it keeps frames in order, and counts those that are the player’s', { timeout: 20_000 }, async (t) => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 400 }), (steps) => {
      const queue = new OutQueue();
      let model: { frame: Uint8Array; kind: EntryKind }[] = [];
      let sealed = 0;
      for (const step of steps) {
        switch (step.do) {
          case 'push': {
            if (queue.full) break;
            const frame = new Uint8Array(1);
            queue.push(frame, step.kind);
            model.push({ frame, kind: step.kind });
            break;
          }
          case 'shift': {
            const first = model.shift();
            if (first && queue.shift() !== first.kind) return false;
            if (first) sealed = Math.max(0, sealed - 1);
            break;
          }
          case 'cut': {
            const gone = model.slice(step.keep).filter(({ kind }) => kind === EntryKind.frame).length;
            model = model.slice(0, step.keep);
            if (queue.cut(step.keep) !== gone) return false;
            sealed = Math.min(sealed, model.length);
            break;
          }
          case 'seal':
            if (queue.sealed < queue.count) queue.sealed++;
            if (sealed < model.length) sealed++;
        }
        const frames = model.filter(({ kind }) => kind === EntryKind.frame).length;
        if (queue.count !== model.length || queue.frames !== frames || queue.sealed !== sealed) return false;
        const same = model.every(({ frame, kind }, n) => queue.frame(n) === frame && queue.kind(n) === kind);
        if (!same) return false;
      }
      return true;
    }),
    { numRuns: 300 },
  );
  t.pass();
});
