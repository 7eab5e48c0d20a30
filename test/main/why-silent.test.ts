// Claims about the verdict why a player is silent: one row for every way in which a link breaks, and what holds
// whatever the facts are.
import fc from 'fast-check';
import t from 'tap';
import type { SilenceFacts } from '../../src/main/why-silent-facts.js';
import { LINKS } from '../../src/main/why-silent-links.js';
import { whySilent } from '../../src/main/why-silent.js';
import { soundFacts, soundInspection, type InspectionChanges } from '../support/inspections.js';

const CEILING = { timeout: 20_000 };

const within = (changes: InspectionChanges): SilenceFacts => soundFacts({ inside: soundInspection(changes) });

/** Nothing to play from: no frame is queued and the window is used up. */
const EMPTY = { queue: { frames: 0, starving: true }, window: { packets: 1, aheadMs: 0 } };
const UNCONNECTED = { connected: false, everReady: false, speaking: null, ring: null };
const STALE = { sentAgeMs: 4_000 };

const BROKEN: readonly (readonly [link: string, what: RegExp, facts: SilenceFacts])[] = [
  ['player', /^No track is loaded\.$/, soundFacts({ player: { track: false } })],
  ['player', /has ended \(loadFailed\)/, soundFacts({ player: { track: false, lastEnd: 'loadFailed' } })],
  ['player', /on its way/, soundFacts({ player: { track: false, coming: true } })],
  ['player', /paused/, soundFacts({ player: { paused: true } })],
  ['player', /paused/, within({ paused: true })],
  ['player', /volume of the player is 0/, soundFacts({ player: { volume: 0 } })],
  ['player', /volume filter/, soundFacts({ player: { filterVolume: 0 } })],
  ['player', /about to be told/, within({ noTrack: true })],
  ['shard', /has ended, and its replacement/, soundFacts({ shard: { up: false }, inside: null })],
  ['shard', /being taken over/, soundFacts({ shard: { lost: true }, inside: null })],
  ...(
    [
      ['PUM_COMMAND_DEADLINE', /within 1,000 ms/],
      ['PUM_SHARD_BUSY', /behind with its commands/],
      ['PUM_COMMAND_STALE', /does not know it/],
      ['PUM_SHARD_GONE', /before it answered/],
      ['PUM_HTTP_INTERNAL', /PUM_HTTP_INTERNAL/],
    ] as const
  ).map(
    ([failure, what]) =>
      ['shard', what, soundFacts({ shard: { failure, pulseAgeMs: 750 }, inside: null })] as const,
  ),
  ['source', /being opened/, within({ ...EMPTY, source: { state: 'opening', packetAgeMs: null } })],
  [
    'source',
    /PUM_SOURCE_STATUS/,
    within({ ...EMPTY, source: { state: 'failed', error: 'PUM_SOURCE_STATUS' } }),
  ],
  ['source', /nothing for 2,500 ms/, within({ ...EMPTY, source: { packetAgeMs: 2_500 } })],
  ['source', /nothing yet/, within({ ...EMPTY, source: { packetAgeMs: null } })],
  ['source', /since the seek/, within({ ...EMPTY, source: { packetAgeMs: null, seeking: true } })],
  [
    'source',
    /nothing for/,
    within({ queue: { frames: 0, starving: true }, window: { aheadMs: 15 }, source: { packetAgeMs: 900 } }),
  ],
  ['window', /more slowly/, within({ ...EMPTY, source: { packetAgeMs: 100 } })],
  ['decode', /PUM_DECODE_FAILED/, within({ queue: { frames: 0 }, decode: { error: 'PUM_DECODE_FAILED' } })],
  ['decode', /no frame has been made/, within({ queue: { frames: 0 }, decode: { mode: null } })],
  ['queue', /come to its end/, within({ queue: { frames: 0, ending: true }, ring: STALE })],
  ['queue', /behind with its work/, within({ queue: { frames: 0 }, ring: STALE })],
  [
    'voice',
    /given no voice data/,
    soundFacts({ voice: { given: false }, inside: soundInspection({ noVoice: true }) }),
  ],
  ['voice', /ended with 4014/, within({ noVoice: true, lastClose: 4_014 })],
  ['voice', /no voice connection/, within({ noVoice: true })],
  ...(
    [
      ['waiting', /tried again/],
      ['dialling', /has not accepted/],
      ['greeting', /introduction/],
      ['discovering', /over UDP/],
      ['selecting', /key of the session/],
      ['identifying', /not ready yet/],
      ['resuming', /not ready yet/],
      ['ready', /not ready yet/],
      ['over', /is over/],
    ] as const
  ).map(([step, what]) => ['voice', what, within({ voice: { ...UNCONNECTED, step } })] as const),
  ['voice', /with 4006/, within({ voice: { ...UNCONNECTED, step: 'waiting', lastClose: 4_006 } })],
  [
    'dave',
    /3 others in it, is not ready: frames wait/,
    within({ dave: { frames: 'hold', group: 'forming', others: 3 } }),
  ],
  ['dave', /given up/, within({ dave: { frames: 'withheld', group: 'none' } })],
  ['speaking', /nobody speaks/, within({ voice: { speaking: false } })],
  ['ring', /closed/, within({ ring: { open: false } })],
  ['ring', /no send ring/, within({ voice: { ring: null } })],
  ['ring', /12 frames wait/, within({ ring: { queued: 0, waiting: 12, ...STALE } })],
  ['ring', /is empty/, within({ ring: { queued: 0, ...STALE } })],
  ['sender', /19 packets .* none has left for 4,000 ms/, within({ ring: STALE })],
  ['sender', /none has left yet/, within({ ring: { sentAgeMs: null } })],
];

t.test('every link can break, and its break is named', CEILING, (t) => {
  for (const [link, what, facts] of BROKEN) {
    const report = whySilent(facts);
    t.match(report, { silent: true, brokenLink: link, explanation: what });
    const at = report.links.findIndex(({ name }) => name === link);
    const oks = report.links.map(({ ok }) => ok);
    t.strictSame(
      oks.slice(0, at + 1),
      [...new Array<boolean>(at).fill(true), false],
      `${link}, ${String(what)}`,
    );
    t.ok(
      oks.slice(at + 1).every((ok) => ok === null),
      'what lies behind it is not judged',
    );
  }
  const named = new Set(BROKEN.map(([link]) => link));
  t.strictSame(
    [...named],
    LINKS.map(({ name }) => name),
    'no link is left out',
  );
  t.end();
});

const SOUND: readonly (readonly [what: string, facts: SilenceFacts])[] = [
  ['all is well', soundFacts()],
  [
    'the gateway is being resumed while frames leave',
    within({ voice: { step: 'waiting', lastClose: 4_015 } }),
  ],
  [
    'what is queued plays on though the source stands',
    within({ window: { aheadMs: 0 }, source: { packetAgeMs: 9_000 } }),
  ],
  [
    'the source has come to its end, the sound has not',
    within({ source: { state: 'ended' }, queue: { ending: true } }),
  ],
  [
    'frames go out plain, for nobody else is there',
    within({ dave: { frames: 'plain', others: 0, group: 'forming' } }),
  ],
  ['a call without end-to-end encryption', within({ voice: { dave: null } })],
  ['the queue has just run dry', within({ queue: { frames: 0 }, ring: { queued: 0 } })],
];

t.test('a player that is heard has no broken link', CEILING, (t) => {
  for (const [what, facts] of SOUND) {
    const report = whySilent(facts);
    t.match(report, { silent: false, brokenLink: null, explanation: /^Datagrams leave .* 7 ms ago/ }, what);
    t.ok(
      report.links.every(({ ok }) => ok === true),
      what,
    );
  }
  t.end();
});

t.test('a track that waits for its voice connection is not blamed on its source', CEILING, (t) => {
  for (const source of [{ state: 'reading', packetAgeMs: 60_000 }, { state: 'parked' }] as const) {
    const facts = within({
      source,
      window: source.state === 'parked' ? { packets: 0, aheadMs: null } : {},
      decode: { mode: null },
      queue: { frames: 0, starving: true },
      noVoice: true,
    });
    t.equal(whySilent(facts).brokenLink, 'voice');
  }
  t.end();
});

t.test(
  'whatever the facts, at most one link is broken, and it is the first that does not hold',
  CEILING,
  (t) => {
    fc.assert(
      fc.property(anyFacts(), (facts) => {
        const { silent, brokenLink, explanation, links } = whySilent(facts);
        const broken = links.filter(({ ok }) => ok === false);
        const first = links.findIndex(({ ok }) => ok !== true);
        return (
          links.length === LINKS.length &&
          silent === (brokenLink !== null) &&
          broken.length === (silent ? 1 : 0) &&
          (links[first]?.name ?? null) === brokenLink &&
          (!silent || links[first]?.ok === false) &&
          /^[A-Z0-9].*\.$/.test(explanation)
        );
      }),
      { numRuns: 300 },
    );
    t.end();
  },
);

function anyFacts(): fc.Arbitrary<SilenceFacts> {
  const flag = fc.boolean();
  const count = fc.nat({ max: 100 });
  const age = fc.option(fc.nat({ max: 5_000 }));
  const error = fc.option(fc.constantFrom('PUM_SOURCE_BROKEN', 'PUM_DECODE_FAILED', 'PUM_COMMAND_DEADLINE'));
  const code = fc.option(fc.constantFrom(1_000, 1_006, 4_006, 4_014));
  const states = ['opening', 'reading', 'ended', 'failed', 'closed', 'parked'] as const;
  const steps = ['waiting', 'dialling', 'greeting', 'discovering', 'selecting', 'ready', 'over'] as const;
  const inspection = fc.record({
    paused: flag,
    track: fc.option(
      fc.record({
        source: fc.record({
          state: fc.constantFrom(...states),
          error,
          seeking: flag,
          packetsRead: count,
          packetAgeMs: age,
        }),
        window: fc.record({
          packets: count,
          bytes: count,
          aheadMs: fc.option(fc.integer({ min: -5_000, max: 5_000 })),
        }),
        decode: fc.record({
          mode: fc.constantFrom('passthrough' as const, 'encoded' as const, null),
          error,
          anyFrame: flag,
        }),
      }),
    ),
    queue: fc.record({ frames: count, ending: flag, starving: flag }),
    voice: fc.option(
      fc.record({
        driver: fc.constantFrom('native' as const, 'discordjs' as const),
        step: fc.constantFrom(...steps),
        connected: flag,
        everReady: flag,
        lastClose: code,
        dave: fc.option(
          fc.record({
            version: fc.constantFrom(0, 1, null),
            frames: fc.constantFrom(
              'plain' as const,
              'sealed' as const,
              'hold' as const,
              'withheld' as const,
            ),
            group: fc.constantFrom('none' as const, 'forming' as const, 'ready' as const),
            others: count,
            waitedMs: age,
          }),
        ),
        speaking: fc.option(flag),
        ring: fc.option(
          fc.record({
            open: flag,
            queued: fc.nat({ max: 3 }),
            waiting: fc.nat({ max: 3 }),
            room: count,
            head: fc.option(count),
            underruns: fc.option(count),
            sentAgeMs: age,
          }),
        ),
      }),
    ),
    lastClose: code,
  });
  return fc.record({
    player: fc.record({
      // Mostly a player that could be heard, or nothing behind it would be looked at.
      track: fc.constantFrom(true, true, true, false),
      coming: flag,
      paused: fc.constantFrom(false, false, false, true),
      volume: fc.constantFrom(100, 50, 150, 0),
      filterVolume: fc.constantFrom(1, 1, 0.5, 0),
      positionMs: count,
      endTimeMs: age,
      lastEnd: fc.constantFrom(null, 'finished', 'loadFailed'),
    }),
    shard: fc.record({
      index: count,
      up: fc.constantFrom(true, true, true, false),
      lost: fc.constantFrom(false, false, false, true),
      restarts: count,
      pulseAgeMs: age,
      failure: error,
    }),
    voice: fc.record({ given: flag, pingMs: count }),
    sender: fc.record({ threads: count, restarts: count, sent: count, emptied: count, socketFull: count }),
    inside: fc.option(inspection),
  });
}
