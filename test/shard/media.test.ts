// A track's container: opened once for all who read it, let go of in a long pause, closed for good at the end.
import t from 'tap';
import { ServerError } from '../../src/shared/errors.js';
import type { Container } from '../../src/audio/container.js';
import { Media } from '../../src/shard/media.js';
import { FakeContainer } from '../support/fake-container.js';

const LIMIT = { timeout: 5_000 };

/** A source whose openings a test answers by hand. */
class Openings {
  readonly signals: AbortSignal[] = [];
  readonly #answers: PromiseWithResolvers<Container>[] = [];
  readonly media = new Media((signal) => {
    this.signals.push(signal);
    const answer = withResolvers<Container>();
    this.#answers.push(answer);
    return answer.promise;
  });

  /** The n-th opening succeeds. */
  open(n = 0): FakeContainer {
    const container = new FakeContainer({ packets: 10 });
    this.#answers[n]?.resolve(container);
    return container;
  }

  fail(n = 0): void {
    this.#answers[n]?.reject(new ServerError('PUM_SOURCE_BROKEN'));
  }
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

t.test('a track is opened at once, and once for all who ask', LIMIT, async (t) => {
  const source = new Openings();
  t.equal(source.signals.length, 1, 'before anybody has asked');
  const asked = [source.media.container(), source.media.container()];
  const container = source.open();
  t.same(await Promise.all(asked), [container, container]);
  await source.media.packets(0);
  t.equal(source.signals.length, 1);
  t.same(container.opened, [0]);
});

t.test('a rest closes the container, and the next who asks has it opened again', LIMIT, async (t) => {
  const source = new Openings();
  const first = source.open();
  await source.media.container();
  source.media.rest();
  await turn();
  t.ok(first.closed);
  t.equal(source.signals.length, 1, 'not opened before somebody asks');
  const asked = source.media.packets(0.1);
  const second = source.open(1);
  await asked;
  t.same(second.opened, [5]);
  t.notOk(second.closed);
});

t.test('a rest while the track opens cancels it, and what comes all the same is closed', LIMIT, async (t) => {
  const source = new Openings();
  source.media.rest();
  t.ok(source.signals[0]?.aborted);
  const late = source.open();
  await turn();
  t.ok(late.closed);
});

t.test('what fails to open fails for all who ask, and for nobody when nobody asks', LIMIT, async (t) => {
  const source = new Openings();
  const before = source.media.container();
  source.fail();
  await t.rejects(before, { code: 'PUM_SOURCE_BROKEN' });
  await t.rejects(source.media.container(), { code: 'PUM_SOURCE_BROKEN' });
  t.equal(source.signals.length, 1, 'it is not tried again and again');
  source.media.rest();
  source.media.container().catch(() => undefined);
  t.equal(source.signals.length, 2, 'but after a rest');

  const unheard = new Openings();
  unheard.fail();
  // An unhandled rejection would end this test's process.
  await turn();
  unheard.media.close();
  await turn();
});

t.test('a closed track is opened no more', LIMIT, async (t) => {
  const source = new Openings();
  const container = source.open();
  await source.media.container();
  source.media.close();
  await turn();
  t.ok(container.closed);
  t.ok(source.signals[0]?.aborted);
  await t.rejects(source.media.container(), { code: 'PUM_TRACK_TERMINATED' });
  await t.rejects(source.media.packets(0), { code: 'PUM_TRACK_TERMINATED' });
  t.equal(source.signals.length, 1);
});
