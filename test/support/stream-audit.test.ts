// The audit of a received stream has to see every fault it is there for: a clean stream is doctored in one
// place, and exactly that is reported.
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { openPacket, sealPacket } from './rtp-packet.js';
import { StreamAudit, type StreamReport } from './stream-audit.js';
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
