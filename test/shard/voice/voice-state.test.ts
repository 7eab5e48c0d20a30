// The life of a voice connection as a function: the ordinary way, every ending of decision D8, and what holds
// for any order of events.
import fc from 'fast-check';
import t from 'tap';
import type { GatewayClose } from '../../../src/shard/voice/gateway.js';
import {
  FIRST_STATE,
  firstEffects,
  keepsSession,
  nextVoiceState,
  type VoiceEffect,
  type VoiceEvent,
  type VoiceState,
} from '../../../src/shard/voice/voice-state.js';

const CEILING = { timeout: 10_000 };
const times = { connectDeadline: 10_000, resumeFirstDelay: 250, resumeWindow: 60_000 };
const greeting = { ssrc: 7, address: '127.0.0.1', port: 5, modes: [] };
const description = { mode: 'm', key: new Uint8Array(32), daveVersion: 1 };
const close = (code: number, failure: string | null = null): GatewayClose => ({
  code,
  reason: `r${String(code)}`,
  byRemote: true,
  failure,
});

/** Feeds events, one a millisecond, and keeps every effect. */
class Life {
  state: VoiceState = FIRST_STATE;
  effects: VoiceEffect[] = [...firstEffects(times)];
  now = 0;

  on(...events: VoiceEvent[]): VoiceEffect[] {
    const from = this.effects.length;
    for (const event of events) {
      const outcome = nextVoiceState(this.state, event, { now: ++this.now, random: 0.5, times });
      this.state = outcome.state;
      this.effects.push(...outcome.effects);
    }
    return this.effects.slice(from);
  }

  ready(): this {
    this.on(
      { kind: 'opened', mayConnect: true },
      { kind: 'greeted', greeting },
      { kind: 'discovered', address: '1.2.3.4', port: 9 },
      { kind: 'described', description },
    );
    return this;
  }
}

const names = (effects: readonly VoiceEffect[]): string[] => effects.map((effect) => effect.do);

t.test('a connection is dialled, identified, discovered, selected and open', CEILING, async (t) => {
  const life = new Life().ready();
  t.same(names(life.effects), [
    'deadlineIn',
    'dial',
    'identify',
    'discover',
    'select',
    'noDeadline',
    'open',
    'tellReady',
  ]);
  t.equal(life.state.step.kind, 'ready');
});

t.test('messages out of turn change nothing', CEILING, async (t) => {
  const life = new Life();
  const early: VoiceEvent[] = [
    { kind: 'greeted', greeting },
    { kind: 'discovered', address: '', port: 1 },
    { kind: 'described', description },
    { kind: 'resumed' },
    { kind: 'retry' },
  ];
  t.same(life.on(...early), []);
  life.ready();
  t.same(life.on(...early, { kind: 'opened', mayConnect: true }, { kind: 'deadline' }), []);
});

t.test('each final code ends a connection with one word', CEILING, async (t) => {
  for (const code of [1000, 4004, 4006, 4011, 4014, 4017, 4021, 4022, 4999]) {
    const life = new Life().ready();
    t.match(life.on({ kind: 'lost', close: close(code) }), [
      { do: 'release' },
      { do: 'tellClosed', close: { code, reason: `r${String(code)}`, byRemote: true, beforeReady: false } },
    ]);
    t.same(life.on({ kind: 'lost', close: close(1006) }, { kind: 'close' }, { kind: 'retry' }), []);
  }
});

t.test('codes of the network resume, up to five times with growing waits', CEILING, async (t) => {
  for (const code of [1001, 1006, 4000, 4013, 4015]) {
    const life = new Life().ready();
    const waits: number[] = [];
    for (let tries = 0; tries < 5; tries++) {
      const effects = life.on({ kind: 'lost', close: close(code) });
      const retry = effects.find((effect) => effect.do === 'retryIn');
      waits.push(retry?.do === 'retryIn' ? retry.ms : NaN);
      t.ok(keepsSession(life.state));
      t.same(names(life.on({ kind: 'retry' })), ['deadlineIn', 'dial']);
    }
    t.same(waits, [250, 500, 1_000, 2_000, 4_000]);
    t.match(life.on({ kind: 'lost', close: close(code) }), [{ do: 'release' }, { do: 'tellClosed' }]);
  }
});

t.test('a resume that succeeds tells ready again and keeps the session', CEILING, async (t) => {
  const life = new Life().ready();
  life.on({ kind: 'lost', close: close(1006) }, { kind: 'retry' });
  t.same(names(life.on({ kind: 'opened', mayConnect: true }, { kind: 'resumed' })), [
    'resume',
    'noDeadline',
    'reopen',
    'tellReady',
  ]);
  t.notOk(names(life.effects).includes('forget'));
});

t.test('4009 resumes once', CEILING, async (t) => {
  const life = new Life().ready();
  life.on({ kind: 'lost', close: close(4009) }, { kind: 'retry' }, { kind: 'opened', mayConnect: true });
  t.match(life.on({ kind: 'resumed' }), [{ do: 'noDeadline' }, { do: 'reopen' }, { do: 'tellReady' }]);
  t.match(life.on({ kind: 'lost', close: close(4009) }), [{ do: 'release' }, { do: 'tellClosed' }]);
});

t.test('a code that means our own fault gets one fresh session', CEILING, async (t) => {
  for (const code of [4001, 4002, 4003, 4005, 4012, 4016, 4020]) {
    const life = new Life().ready();
    t.same(names(life.on({ kind: 'lost', close: close(code) })), ['deadlineIn', 'forget', 'retryIn']);
    t.same(names(life.on({ kind: 'retry' }, { kind: 'opened', mayConnect: true })), ['dial', 'identify']);
    t.match(life.on({ kind: 'lost', close: close(code) }), [{ do: 'release' }, { do: 'tellClosed' }]);
  }
});

t.test('a worn key gets a fresh session at once, and only one that is ready', CEILING, async (t) => {
  const life = new Life().ready();
  t.same(names(life.on({ kind: 'worn' })), ['forget', 'deadlineIn', 'dial']);
  t.same(names(life.on({ kind: 'opened', mayConnect: true })), ['identify']);
  t.same(life.on({ kind: 'worn' }), [], 'not twice');
  // One try more where that one is lost, then the event.
  t.same(names(life.on({ kind: 'lost', close: close(1006) })), ['forget', 'retryIn']);
  t.same(names(life.on({ kind: 'retry' }, { kind: 'opened', mayConnect: true })), ['dial', 'identify']);
  t.match(life.on({ kind: 'lost', close: close(1006) }), [{ do: 'release' }, { do: 'tellClosed' }]);
  const away = new Life().ready();
  away.on({ kind: 'lost', close: close(1006) });
  t.same(away.on({ kind: 'worn' }), [], 'a session that is being resumed waits with it');
  const superseded = new Life().ready();
  superseded.on({ kind: 'worn' });
  t.same(names(superseded.on({ kind: 'opened', mayConnect: false })), ['release'], 'nobody is told');
});

t.test('a connection that held for a window has its tries back', CEILING, async (t) => {
  const life = new Life().ready();
  for (let spell = 0; spell < 20; spell++) {
    life.on({ kind: 'lost', close: close(4009) }, { kind: 'retry' }, { kind: 'opened', mayConnect: true });
    t.same(life.on({ kind: 'resumed' }).at(-1), { do: 'tellReady' });
    life.now += times.resumeWindow + 1;
  }
});

t.test('before it was ready: one fresh try, and none against a certificate', CEILING, async (t) => {
  const life = new Life();
  t.same(names(life.on({ kind: 'lost', close: close(1006, 'ECONNREFUSED') })), ['forget', 'retryIn']);
  life.on({ kind: 'retry' });
  t.match(life.on({ kind: 'lost', close: close(1006) }), [
    { do: 'release' },
    { do: 'tellClosed', close: { beforeReady: true } },
  ]);
  for (const failure of ['DEPTH_ZERO_SELF_SIGNED_CERT', 'ERR_TLS_CERT_ALTNAME_INVALID']) {
    t.match(new Life().on({ kind: 'lost', close: close(1006, failure) }), [
      { do: 'release' },
      { do: 'tellClosed' },
    ]);
  }
});

t.test('a deadline ends the first connection, and a later try only', CEILING, async (t) => {
  t.match(new Life().on({ kind: 'deadline' }), [
    { do: 'release' },
    { do: 'tellClosed', close: { code: 1006, byRemote: false, beforeReady: true } },
  ]);
  const life = new Life().ready();
  life.on({ kind: 'lost', close: close(1006) }, { kind: 'retry' });
  t.same(names(life.on({ kind: 'deadline' })), ['hangUp', 'noDeadline', 'retryIn']);
});

t.test('superseded and closed are silent', CEILING, async (t) => {
  for (const event of [{ kind: 'superseded' }, { kind: 'close' }] as const) {
    t.same(names(new Life().on(event)), ['release']);
    t.same(names(new Life().ready().on(event)), ['release']);
  }
  t.same(names(new Life().on({ kind: 'opened', mayConnect: false })), ['release']);
});

const anyEvent: fc.Arbitrary<VoiceEvent> = fc.oneof(
  fc.boolean().map((mayConnect): VoiceEvent => ({ kind: 'opened', mayConnect })),
  fc.constantFrom<VoiceEvent>(
    { kind: 'greeted', greeting },
    { kind: 'discovered', address: '1.2.3.4', port: 9 },
    { kind: 'described', description },
    { kind: 'resumed' },
    { kind: 'worn' },
    { kind: 'deadline' },
    { kind: 'retry' },
    { kind: 'refused', code: 4016, reason: 'no' },
  ),
  fc
    .constantFrom(1000, 1001, 1006, 4000, 4001, 4006, 4009, 4014, 4015, 4021)
    .map((code): VoiceEvent => ({ kind: 'lost', close: close(code) })),
);

t.test(
  'whatever the order of events, a connection ends once and its tries are bounded',
  CEILING,
  async (t) => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 200 }), (events) => {
        const life = new Life();
        life.on(...events, { kind: 'close' });
        const told = names(life.effects);
        const times = (name: string): number => told.filter((each) => each === name).length;
        return (
          life.state.step.kind === 'over' &&
          times('release') === 1 &&
          times('tellClosed') <= 1 &&
          // One dial, one fresh one, five resumes: the clock of this test never lets a spell end.
          times('dial') <= 7 &&
          times('identify') <= 2 &&
          times('open') <= 2
        );
      }),
      { numRuns: 300 },
    );
    t.pass();
  },
);
