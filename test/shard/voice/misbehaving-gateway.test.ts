// Voice gateways that do everything wrong (reliability.md case 38), each for both drivers: the connection comes about
// or ends with one word, within its deadline and with bounded tries, and a neighbour on the same driver hears
// nothing of it. Judged by counts; every gateway is a fake server of its own.

import t, { type Test } from 'tap';
import { loopbackCertificate } from '../../support/certificate.js';
import { FakeVoiceServer, type VoiceFaults } from '../../support/fake-voice.js';
import { VoicePlayer, voiceServer } from '../../support/voice-player.js';
import { CLOSE_CODES } from '../../support/voice-closes.js';
import type { JunkKind, Moment } from '../../support/voice-options.js';
import type { VoiceDriver } from '../../../src/shard/voice/driver.js';
import { closeRule } from '../../../src/shard/voice/close-rules.js';
import { VOICE } from '../../../src/shared/limits.js';
import { DRIVERS } from './driver-makers.js';
import { QUICK, driverSetting, numbersOf, upTo } from './driver-setting.js';

const LIMIT = { timeout: 90_000 };
const TIMES = { ...QUICK, connectDeadline: 1_500, resumeFirstDelay: 5 };
/** Gateways at a time: each handshake costs this thread some milliseconds, on both ends. */
const AT_ONCE = 10;
const FRAMES = 10;
const KINDS: readonly JunkKind[] = ['text', 'shape', 'binary', 'body'];
const BEFORE_READY: readonly Moment[] = ['open', 'identify', 'ready', 'select-protocol'];
const AFTER: readonly Moment[] = ['session-description', 'speaking', 'resume'];

type Certificate = ReturnType<typeof loopbackCertificate>;

/** A way to be wrong: `code` is how the connection must end, null for that it must not, undefined for either. */
interface Mode {
  readonly name: string;
  readonly faults: VoiceFaults;
  readonly code?: number | null;
}

const silences: readonly Mode[] = [
  { name: 'silent after the upgrade', faults: { silent: true }, code: 1006 },
  { name: 'no ready', faults: { noReady: true }, code: 1006 },
  { name: 'no session description', faults: { noSessionDescription: true }, code: 1006 },
  { name: 'no discovery', faults: { dropDiscovery: 1_000 }, code: 1006 },
];

const wrongWords: readonly Mode[] = [
  { name: 'no mode', faults: { readyModes: [] }, code: 4016 },
  { name: 'a strange mode', faults: { readyModes: ['xsalsa20_poly1305'] }, code: 4016 },
  { name: 'a thousand modes', faults: { readyModes: new Array<string>(1_000).fill('x') }, code: 1006 },
  { name: 'another mode in the description', faults: { describedMode: 'plain' }, code: 1006 },
  { name: 'an address that is none', faults: { readyAddress: { ip: '127.0.0.1.' } }, code: 1006 },
  { name: 'an address of the other family', faults: { readyAddress: { ip: '::1' } }, code: 1006 },
  { name: 'port 0', faults: { readyAddress: { ip: '127.0.0.1', port: 0 } }, code: 1006 },
  { name: 'a port beyond all', faults: { readyAddress: { ip: '127.0.0.1', port: 65_536 } }, code: 1006 },
  { name: 'half a port', faults: { readyAddress: { ip: '127.0.0.1', port: 1.5 } }, code: 1006 },
];

const junk: readonly Mode[] = [...BEFORE_READY, ...AFTER].flatMap((moment): Mode[] => [
  { name: `junk at ${moment}`, faults: { junkAt: { moment } }, code: null },
  // A damaged Ready in the place of the true one ends a connection; it may not do more.
  { name: `damaged bodies at ${moment}`, faults: { junkAt: { moment, kinds: KINDS } } },
]);

const cuts: readonly Mode[] = [
  ...BEFORE_READY.map((dropAt): Mode => ({ name: `cut at ${dropAt}`, faults: { dropAt }, code: 1006 })),
  { name: 'cut at session-description', faults: { dropAt: 'session-description' }, code: null },
  // Speaking is told again after each resume, so these are cut until the tries are used up.
  { name: 'cut at speaking', faults: { dropAt: 'speaking' } },
];

/** Before it was ready a connection ends with the code it met twice, or once where that is final. */
const closes: readonly Mode[] = CLOSE_CODES.flatMap((code) => [
  ...BEFORE_READY.map((moment): Mode => ({
    name: `${String(code)} at ${moment}`,
    faults: { closeAt: { moment, code } },
    code,
  })),
  ...AFTER.map((moment): Mode => ({
    name: `${String(code)} at ${moment}`,
    faults: { closeAt: { moment, code } },
    ...(moment === 'speaking' && closeRule(code) === 'end' ? { code } : {}),
  })),
]);

/** Plays a little with that server; what the driver told, and what the server was asked. */
async function meet(t: Test, driver: VoiceDriver, mode: Mode, certificate: Certificate): Promise<void> {
  const { name, faults, code } = mode;
  const fake = await FakeVoiceServer.start({ faults, certificate });
  t.teardown(() => fake.close());
  const player = new VoicePlayer(driver, voiceServer(fake.endpoint));
  player.play(FRAMES);
  await player.when(() => player.closes.length > 0 || player.sentAt.length === FRAMES);
  const { guildId } = player.server;
  if (code === null) t.same(player.closes, [], `${name}: it is connected`);
  else if (code !== undefined) {
    await player.closed();
    t.match(player.closes, [{ code }], `${name}: it ends so`);
  }
  const reports = fake.reports(guildId);
  t.ok(reports.length <= 2, `${name}: ${String(reports.length)} times identified`);
  const resumes = reports.reduce((sum, each) => sum + each.resumes, 0);
  t.ok(resumes <= VOICE.maxResumes, `${name}: ${String(resumes)} times resumed`);
  player.close();
  await fake.close();
  t.ok(player.closes.length <= 1, `${name}: told once`);
}

for (const [driverName, make] of DRIVERS) {
  for (const [what, modes] of [
    ['say nothing', silences],
    ['say what cannot be', wrongWords],
    ['speak no language', junk],
    ['are cut off', cuts],
    ['close with every code at every moment', closes],
  ] as const) {
    t.test(`${driverName}: gateways that ${what} cost their own connection at most`, LIMIT, async (t) => {
      const certificate = loopbackCertificate();
      const { fake, driver } = await driverSetting(t, make, { certificate }, { times: TIMES });
      const neighbour = new VoicePlayer(driver, voiceServer(fake.endpoint));
      neighbour.play(100_000);
      await neighbour.when(() => neighbour.sentAt.length > 0);
      const left = [...modes];
      const lane = async (): Promise<void> => {
        for (let mode = left.shift(); mode !== undefined; mode = left.shift()) {
          await meet(t, driver, mode, certificate);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, lane));
      const heard = neighbour.sentAt.length;
      await neighbour.when(() => neighbour.sentAt.length >= heard + FRAMES);
      const numbers = numbersOf(fake.frames(neighbour.server.guildId));
      t.same(numbers, upTo(numbers.length), 'the neighbour lost nothing');
      t.same(neighbour.closes, []);
      t.equal(neighbour.ready, 1);
    });
  }
}
