// The frames of a connection that have not left yet, against a plain array.
import fc from 'fast-check';
import t from 'tap';
import { FrameMode } from '../../../src/shard/voice/driver.js';
import { EntryKind, isFrame, OutQueue } from '../../../src/shard/voice/out-queue.js';

type Step =
  | { do: 'push'; kind: EntryKind }
  | { do: 'shift' }
  | { do: 'cut'; keep: number }
  | { do: 'seal'; isItself: boolean };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc
    .constantFrom(EntryKind.frame, EntryKind.silence, EntryKind.lastSilence)
    .map((kind): Step => ({ do: 'push', kind })),
  fc.constant<Step>({ do: 'shift' }),
  fc.nat(130).map((keep): Step => ({ do: 'cut', keep })),
  fc.boolean().map((isItself): Step => ({ do: 'seal', isItself })),
);

t.test('it keeps frames in order, and counts those that are the player’s', { timeout: 20_000 }, async (t) => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 400 }), (steps) => {
      const queue = new OutQueue();
      let model: { frame: Uint8Array; kind: EntryKind; number: number }[] = [];
      let pushed = 1;
      let sealed = 0;
      for (const step of steps) {
        switch (step.do) {
          case 'push': {
            if (queue.full) break;
            const number = pushed++;
            // A part of something larger, as frames in a packet window are.
            const frame = new Uint8Array(new ArrayBuffer(600), number % 7, number % 500);
            if (step.kind === EntryKind.frame) queue.push(frame, number * 20, number, FrameMode.encoded);
            else queue.pushSilence(frame, step.kind === EntryKind.lastSilence);
            model.push({ frame, kind: step.kind, number });
            break;
          }
          case 'shift': {
            const first = model.shift();
            if (first && queue.shift() !== first.kind) return false;
            if (first) sealed = Math.max(0, sealed - 1);
            break;
          }
          case 'cut': {
            const gone = model.slice(step.keep).filter(({ kind }) => isFrame(kind)).length;
            model = model.slice(0, step.keep);
            if (queue.cut(step.keep) !== gone) return false;
            sealed = Math.min(sealed, model.length);
            break;
          }
          case 'seal': {
            const entry = model[sealed];
            if (!entry) break;
            queue.seal(step.isItself);
            if (isFrame(entry.kind)) entry.kind = step.isItself ? EntryKind.frame : EntryKind.unsealed;
            sealed++;
          }
        }
        const frames = model.filter(({ kind }) => isFrame(kind)).length;
        if (queue.count !== model.length || queue.frames !== frames || queue.sealed !== sealed) return false;
        const same = model.every(({ frame, kind, number }, n) => {
          const tag = isFrame(kind) ? number : 0;
          const isMarked = queue.tag(n) === tag && queue.sourceMs(n) === tag * 20;
          const view = queue.frame(n);
          const isSame =
            view?.buffer === frame.buffer &&
            view.byteOffset === frame.byteOffset &&
            view.length === frame.length;
          return isMarked && isSame && queue.kind(n) === kind;
        });
        if (!same) return false;
      }
      return true;
    }),
    { numRuns: 300 },
  );
  t.pass();
});
