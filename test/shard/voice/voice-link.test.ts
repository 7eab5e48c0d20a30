// A voice connection's first outcome and who is told of it: the PATCH that waits, or the player as an event,
// never both; and nobody once the link is closed.
import t from 'tap';
import { ServerError } from '../../../src/shared/errors.js';
import { VOICE } from '../../../src/shared/limits.js';
import { FrameMode, type VoiceDriver } from '../../../src/shard/voice/driver.js';
import { VoiceLink, type LinkOptions, type LinkOwner } from '../../../src/shard/voice/voice-link.js';
import { FakeDriver } from '../../support/fake-driver.js';
import { ManualClock } from '../../support/manual-clock.js';

const LIMIT = { timeout: 5_000 };
const SERVER = { guildId: '1', userId: '2', channelId: '3', sessionId: 's', token: 't', endpoint: 'e:1' };

class Scene implements LinkOwner {
  readonly clock = new ManualClock();
  readonly driver = new FakeDriver(this.clock, false);
  /** What the player was told and how the promise came out, in order. */
  readonly told: string[] = [];
  readonly link: VoiceLink;

  constructor(options: Partial<LinkOptions> = {}) {
    this.link = new VoiceLink({
      driver: this.driver,
      server: SERVER,
      owner: this,
      clock: this.clock,
      silent: false,
      mayConnect: () => true,
      row: null,
      ...options,
    });
    this.link.settled.then(
      () => this.told.push('settled'),
      (error: unknown) => this.told.push(ServerError.from(error, 'PUM_HTTP_INTERNAL').chain().join(', ')),
    );
  }

  voiceReady(silent: boolean): void {
    this.told.push(silent ? 'ready, silently' : 'ready');
  }
  voiceClosed({ code }: { code: number }): void {
    this.told.push(`closed ${String(code)}`);
  }
  voiceFailed(): void {
    this.told.push('failed');
  }
  frameSent(at: number): void {
    this.told.push(`sent at ${String(at)}`);
  }
  frameGivenUp(at: number, why: string): void {
    this.told.push(`given up at ${String(at)} for its ${why}`);
  }
  frameMissed(isBlocked: boolean): void {
    this.told.push(isBlocked ? 'blocked' : 'missed');
  }

  /** Lets the promise come out. */
  async settle(): Promise<string[]> {
    await new Promise((resolve) => setImmediate(resolve));
    return this.told;
  }
}

t.test('the player hears of a connection before the PATCH that waits for it', LIMIT, async (t) => {
  const scene = new Scene();
  t.same(await scene.settle(), []);
  scene.driver.last.becomeReady();
  t.same(await scene.settle(), ['ready', 'settled']);
  t.equal(scene.clock.pending, 0, 'the deadline is gone');
  t.same(scene.driver.last.server, SERVER);
});

t.test('a connection that never comes about is told to the PATCH alone', LIMIT, async (t) => {
  const scene = new Scene();
  scene.driver.last.fail({ code: 4_004, reason: 'Authentication failed.' });
  const [failed, error, ...more] = await scene.settle();
  t.equal(failed, 'failed');
  t.match(error, /^PUM_VOICE_FAILED: .*4004 Authentication failed\.$/);
  t.same(more, []);
  t.equal(scene.clock.pending, 0);
});

t.test('a PATCH is answered at its deadline, and what comes later is an event', LIMIT, async (t) => {
  for (const [come, told] of [
    ['becomeReady', 'ready'],
    ['fail', 'closed 4006'],
  ] as const) {
    const scene = new Scene();
    scene.clock.advance(VOICE.answerDeadline - 1);
    t.same(await scene.settle(), []);
    scene.clock.advance(1);
    t.same(await scene.settle(), ['settled']);
    scene.driver.last[come]();
    t.same(await scene.settle(), ['settled', told]);
  }
});

t.test('a connection lost after it was there is an event', LIMIT, async (t) => {
  const scene = new Scene();
  scene.driver.last.becomeReady();
  scene.driver.last.fail({ code: 4_014 });
  scene.driver.last.fail({ code: 4_014 });
  t.same(await scene.settle(), ['ready', 'closed 4014', 'settled'], 'told once');
});

t.test('a silent reconnection is told again, and nobody waits for it', LIMIT, async (t) => {
  const scene = new Scene();
  scene.driver.last.becomeReady();
  scene.driver.last.becomeReady();
  t.same(await scene.settle(), ['ready', 'ready', 'settled']);
});

t.test(
  'a link that takes over is silent when it succeeds and an event when it does not',
  LIMIT,
  async (t) => {
    const good = new Scene({ silent: true });
    good.driver.last.becomeReady();
    t.same(await good.settle(), ['ready, silently', 'settled']);
    const bad = new Scene({ silent: true });
    bad.driver.last.fail();
    t.same(await bad.settle(), ['closed 4006', 'settled']);
  },
);

t.test('frames that left and slots that were missed are handed on', LIMIT, async (t) => {
  const scene = new Scene();
  scene.driver.last.becomeReady();
  scene.link.connection.push(new Uint8Array(3), 20, 1, FrameMode.encoded);
  scene.clock.advance(20);
  scene.driver.last.tick();
  scene.driver.last.tick();
  t.same(scene.told, ['ready', 'sent at 20', 'missed']);
});

t.test('a link that was closed tells nobody anything, whatever its connection says', LIMIT, async (t) => {
  const scene = new Scene();
  const connection = scene.driver.last;
  connection.becomeReady();
  connection.push(new Uint8Array(3), 20, 1);
  await scene.settle();
  scene.told.length = 0;
  scene.link.close();
  t.ok(connection.closed);
  // As a connection would that has not noticed yet.
  connection.connected = true;
  connection.tick();
  connection.tick();
  connection.fail();
  t.same(await scene.settle(), []);
  t.doesNotThrow(() => {
    scene.link.close();
  });
});

t.test('a PATCH whose link is replaced while it waits is answered at once', LIMIT, async (t) => {
  const scene = new Scene();
  scene.link.close();
  t.same(await scene.settle(), ['settled']);
  t.equal(scene.clock.pending, 0);
});

t.test('a driver that takes no more leaves nothing behind', LIMIT, async (t) => {
  const clock = new ManualClock();
  const full: VoiceDriver = {
    name: 'discordjs',
    prepare: () => Promise.resolve(),
    connect: () => {
      throw new ServerError('PUM_VOICE_FULL', { limit: 1 });
    },
    close: () => undefined,
  };
  t.throws(() => new Scene({ driver: full, clock }), { code: 'PUM_VOICE_FULL' });
  t.equal(clock.pending, 0);
});
