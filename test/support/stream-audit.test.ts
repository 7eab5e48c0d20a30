// The audit of a received stream has to see every fault it is there for: a clean stream is doctored in one
// place, and exactly that is reported.
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { openPacket, sealPacket } from './rtp-packet.js';
import { StreamAudit, type StreamContext, type StreamReport } from './stream-audit.js';
import { AES_GCM, XCHACHA, type AeadMode } from './voice-options.js';

const SSRC = 4_711;

interface Doctor {
  sequence?: (n: number) => number;
  timestamp?: (n: number) => number;
  nonce?: (n: number) => number;
  damage?: (n: number) => boolean;
  speak?: boolean;
}

/** Twenty frames, 20 ms apart, with what the doctor does to them. */
function stream(mode: AeadMode, doctor: Doctor = {}): StreamReport {
  const key = randomBytes(32);
  const audit = new StreamAudit({
    openEvery: 1,
    speakingGraceMs: 1_000,
    unseal: (packet) => openPacket(mode, key, packet),
    unsealRtcp: () => null,
    decrypt: () => undefined,
    settledFor: () => 0,
    received: () => undefined,
    unspoken: () => undefined,
  });
  if (doctor.speak !== false) audit.setSpeaking(true);
  for (let n = 0; n < 20; n++) {
    const header = {
      payloadType: 120,
      sequence: (65_530 + (doctor.sequence?.(n) ?? n)) & 0xffff,
      timestamp: (4_294_960_000 + (doctor.timestamp?.(n) ?? n * 960)) >>> 0,
      ssrc: SSRC,
    };
    const packet = sealPacket(mode, key, header, doctor.nonce?.(n) ?? n + 1, Buffer.from([0xfc, n, 1, 2]));
    if (doctor.damage?.(n) === true) packet.writeUInt8(packet.readUInt8(20) ^ 1, 20);
    audit.packet(packet, 1_000 + n * 20);
  }
  return audit.report();
}

for (const mode of [AES_GCM, XCHACHA] as const) {
  t.test(`a clean stream over every wrap is clean in ${mode}`, { timeout: 10_000 }, async (t) => {
    const report = stream(mode);
    t.match(report, {
      packets: 20,
      missing: 0,
      timestampFaults: 0,
      nonceReuses: 0,
      bad: 0,
      beforeSpeaking: 0,
    });
    t.same(report.violations, []);
  });

  t.test(`each fault is reported as what it is in ${mode}`, { timeout: 10_000 }, async (t) => {
    const reused = stream(mode, { nonce: (n) => (n === 7 ? 7 : n + 1) });
    t.match(reused, { nonceReuses: 1, missing: 0, timestampFaults: 0, bad: 0 });
    const missing = stream(mode, {
      sequence: (n) => (n < 9 ? n : n + 1),
      timestamp: (n) => (n < 9 ? n : n + 1) * 960,
    });
    t.match(missing, { missing: 1, nonceReuses: 0 });
    const late = stream(mode, { timestamp: (n) => n * 960 + (n >= 5 ? 480 : 0) });
    t.ok(late.timestampFaults >= 1);
    const damaged = stream(mode, { damage: (n) => n === 11 });
    t.equal(damaged.bad, 1);
    const mute = stream(mode, { speak: false });
    t.equal(mute.beforeSpeaking, 20);
    for (const report of [reused, missing, late, damaged]) t.ok(report.violationCount > 0, 'told in words');
  });
}

// ---- One packet at a time, with whatever header and at whatever moment ----

const FRAME = Buffer.from([0xfc, 1, 2, 3]);
const SILENCE = Buffer.from([0xf8, 0xff, 0xfe]);
/** Its end is all that makes it one for the audit. */
const DAVE_FRAME = Buffer.concat([Buffer.alloc(20, 7), Buffer.from([12, 0xfa, 0xfa])]);

function bench(over: Partial<StreamContext> = {}) {
  const key = randomBytes(32);
  const audit = new StreamAudit({
    openEvery: 1,
    speakingGraceMs: 1_000,
    unseal: (packet) => openPacket(AES_GCM, key, packet),
    unsealRtcp: () => null,
    decrypt: () => undefined,
    settledFor: () => 0,
    received: () => undefined,
    unspoken: () => undefined,
    ...over,
  });
  audit.setSpeaking(true);
  let nonce = 0;
  /** A frame of that number; its timestamp is `skipped` frames ahead, it arrives `late` ms off the grid. */
  const packet = (n: number, frame = FRAME, { skipped = 0, late = 0, payloadType = 120 } = {}) => {
    const header = { payloadType, sequence: n, timestamp: (n + skipped) * 960, ssrc: SSRC };
    audit.packet(sealPacket(AES_GCM, key, header, nonce++, frame), (n + skipped) * 20 + late);
  };
  return { audit, packet };
}

t.test(
  'behind a pause the timestamp may jump by whole frames, and the grid begins anew',
  { timeout: 10_000 },
  async (t) => {
    const { audit, packet } = bench();
    for (let n = 0; n < 10; n++) packet(n);
    for (let n = 10; n < 15; n++) packet(n, SILENCE);
    t.equal(audit.silent, true);
    for (let n = 15; n < 30; n++) packet(n, FRAME, { skipped: 40, late: 7.5 });
    t.equal(audit.silent, false);
    const report = audit.report();
    t.match(report, { timestampJumps: 1, timestampFaults: 0, silenceFrames: 5, violations: [] });
    t.match(report.lateness, { frames: 30, max: 0, segments: 2 });
  },
);

t.test(
  'a stream that ran dry may jump without silence, and its lateness counts',
  { timeout: 10_000 },
  async (t) => {
    const { audit, packet } = bench();
    for (let n = 0; n < 10; n++) packet(n);
    for (let n = 10; n < 20; n++) packet(n, FRAME, { skipped: 3, late: n === 10 ? 12 : 0 });
    t.match(audit.report(), { timestampJumps: 1, violations: [], lateness: { segments: 1, max: 12 } });
  },
);

t.test('a jump in the middle of a stream is a fault', { timeout: 10_000 }, async (t) => {
  const { audit, packet } = bench();
  for (let n = 0; n < 10; n++) packet(n, FRAME, n < 5 ? {} : { skipped: 1, late: -20 });
  t.match(audit.report(), { timestampJumps: 0, timestampFaults: 1, violations: [/960 samples off/] });
});

t.test('a packet that comes twice and one that comes late are told apart', { timeout: 10_000 }, async (t) => {
  const { audit, packet } = bench();
  for (const n of [0, 1, 3, 2, 4, 4]) packet(n);
  t.match(audit.report(), { packets: 6, missing: 0, reordered: 1, duplicates: 1, violationCount: 3 });
});

t.test('another payload type is a violation', { timeout: 10_000 }, async (t) => {
  const { audit, packet } = bench();
  packet(0, FRAME, { payloadType: 121 });
  t.match(audit.report().violations, [/payload type 121/]);
});

t.test('frames that come together are a burst', { timeout: 10_000 }, async (t) => {
  const { audit, packet } = bench();
  for (let n = 0; n < 20; n++) packet(n, FRAME, { late: n >= 5 && n < 8 ? (8 - n) * 20 : 0 });
  t.equal(audit.report().longestBurst, 4, 'three late ones and the one that was due');
});

t.test(
  'a DAVE frame that nobody can decrypt is a fault only in a settled group',
  { timeout: 10_000 },
  async (t) => {
    for (const [settled, decrypted, expected] of [
      [0, undefined, { undecrypted: 0, violationCount: 0 }],
      [0, null, { undecrypted: 1, violationCount: 0 }],
      [5_000, null, { undecrypted: 1, violationCount: 1 }],
      [5_000, FRAME, { undecrypted: 0, violationCount: 0 }],
    ] as const) {
      const { audit, packet } = bench({ settledFor: () => settled, decrypt: () => decrypted });
      packet(0, DAVE_FRAME);
      t.match(audit.report(), { daveFrames: 1, plainFrames: 0, ...expected });
    }
  },
);

t.test('a plain frame in a settled group is a fault, silence is not', { timeout: 10_000 }, async (t) => {
  const { audit, packet } = bench({ settledFor: () => 5_000 });
  packet(0, SILENCE);
  t.match(audit.report(), { plainWhileActive: 0, violations: [] });
  packet(1);
  t.match(audit.report(), { plainWhileActive: 1, violations: [/not end-to-end encrypted/] });
});

t.test('five silence frames behind speaking 0 are in order', { timeout: 10_000 }, async (t) => {
  const { audit, packet } = bench();
  packet(0);
  audit.setSpeaking(false);
  for (let n = 1; n <= 5; n++) packet(n, SILENCE);
  t.match(audit.report(), { beforeSpeaking: 0, violations: [] });
});

t.test('of very many faults the first fifty are told and all are counted', { timeout: 10_000 }, async (t) => {
  const { audit, packet } = bench();
  for (let n = 0; n < 80; n++) packet(2 * n, FRAME);
  const { violations, violationCount, missing } = audit.report();
  t.same([violations.length, violationCount, missing], [50, 79, 79]);
});
