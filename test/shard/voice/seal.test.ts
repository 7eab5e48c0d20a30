// Packets of both AEAD modes: their very bytes, that the other side can open them whatever is in them, and what
// the sealer refuses. The bytes come from other programs, the opening from other libraries than the sealing.

import { createCipheriv } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gcm } from '@noble/ciphers/aes.js';
import fc from 'fast-check';
import t from 'tap';
import {
  MAX_FRAME,
  SCRATCH,
  SEAL_OVERHEAD,
  SealMode,
  createSealer,
  loadSodium,
  prepareSeal,
  usableMode,
} from '../../../src/shard/voice/seal.js';
import type { Sealer } from '../../../src/shard/voice/seal.js';
import { hchacha20 } from '../../support/hchacha20.js';
import { openPacket, readHeader } from '../../support/rtp-packet.js';
import { seededBytes } from '../../support/seeded.js';

/** The name under which others look for it. Not written into import(), or the compiler would look for it too. */
const OFFICIAL = 'sodium-native';
const CEILING = { timeout: 20_000 };
const MODES = Object.values(SealMode);
const KEY = Uint8Array.from({ length: 32 }, (_, n) => 0x80 + n);
const FRAME = Uint8Array.from({ length: 24 }, (_, n) => (n === 0 ? 0xfc : n));

/** FRAME under KEY with sequence 65,534, timestamp 2^32 - 960, SSRC 0xc0ffee and nonce 0x01020304. */
const KNOWN: Readonly<Record<SealMode, string>> = {
  // HChaCha20 written out in Python, ChaCha20Poly1305 and AESGCM of its `cryptography` 48.
  [SealMode.xchacha]:
    '8078fffefffffc4000c0ffeeabdc5a64cfc0fe7e6a7d9c966a020b1d5ec44ae2c91d9c35b5715fea5889a6f8f1e70413c4642eb901020304',
  [SealMode.aes]:
    '8078fffefffffc4000c0ffeebbcd26e008f75e6296c7e82e8f8be0df1417a937aed9aaa565c13302d228b5d8d2dce69afbd0325e01020304',
};

/** A copy of the packet. */
function sealed(sealer: Sealer, frame: Uint8Array, at: [number, number, number, number]): Buffer {
  return Buffer.from(SCRATCH.subarray(0, sealer.seal(frame, ...at)));
}

/** The packet as it should be, by the ciphers that the sealer does not use. */
function expected(mode: SealMode, key: Uint8Array, frame: Uint8Array, header: Buffer, nonce: number): Buffer {
  const suffix = Buffer.alloc(4);
  suffix.writeUInt32BE(nonce);
  if (mode === SealMode.aes) {
    const body = gcm(key, Buffer.concat([suffix, Buffer.alloc(8)]), header).encrypt(frame);
    return Buffer.concat([header, body, suffix]);
  }
  const subkey = hchacha20(key, Buffer.concat([suffix, Buffer.alloc(12)]));
  const cipher = createCipheriv('chacha20-poly1305', subkey, Buffer.alloc(12), { authTagLength: 16 });
  cipher.setAAD(header, { plaintextLength: frame.length });
  const body = Buffer.concat([cipher.update(frame), cipher.final()]);
  return Buffer.concat([header, body, cipher.getAuthTag(), suffix]);
}

t.test('libsodium is in the tree, out of sight of @discordjs/voice', CEILING, async (t) => {
  await prepareSeal();
  t.not(loadSodium(), null);
  // It would take it, and break (discord-voice.md §3.7, gap 6).
  await t.rejects(import(OFFICIAL), { message: /Cannot find package/ });
});

t.test('XChaCha is preferred where libsodium loads, in whatever order it is offered', CEILING, async (t) => {
  const other = 'aead_of_tomorrow';
  t.equal(usableMode([SealMode.aes, other, SealMode.xchacha]), SealMode.xchacha);
  t.equal(usableMode([SealMode.aes, other]), SealMode.aes);
  t.equal(usableMode([other]), null);
  t.equal(usableMode([]), null);
});

t.test('without libsodium AES is taken, and XChaCha is not', CEILING, async (t) => {
  t.equal(usableMode([SealMode.xchacha, SealMode.aes], null), SealMode.aes);
  t.equal(usableMode([SealMode.xchacha], null), null);
});

t.test('a package that is not there, or cannot seal, counts as none', CEILING, async (t) => {
  const name = 'crypto_aead_xchacha20poly1305_ietf_encrypt';
  const broken: readonly (() => unknown)[] = [
    () => {
      throw new Error('no binary for this machine');
    },
    () => undefined,
    () => ({}),
    () => ({ [name]: () => 0 }),
    () => ({
      [name]: () => {
        throw new Error('could not encrypt data');
      },
    }),
  ];
  for (const require of broken) t.equal(loadSodium(require), null);
});

t.test('HChaCha20 of these tests gives what its draft says', CEILING, async (t) => {
  // draft-irtf-cfrg-xchacha-03 §2.2.1.
  const key = Uint8Array.from({ length: 32 }, (_, n) => n);
  const subkey = hchacha20(key, Buffer.from('000000090000004a0000000031415927', 'hex'));
  t.equal(
    Buffer.from(subkey).toString('hex'),
    '82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc',
  );
});

for (const mode of MODES) {
  t.test(mode, CEILING, async (t) => {
    t.test('a packet has the bytes that other programs make', CEILING, async (t) => {
      const sealer = createSealer(mode, KEY);
      t.equal(sealer.mode, mode);
      const packet = sealed(sealer, FRAME, [65_534, 2 ** 32 - 960, 0xc0ffee, 0x01020304]);
      t.equal(packet.toString('hex'), KNOWN[mode]);
    });

    t.test('any frame under any numbers is what it should be, and opens', CEILING, async () => {
      fc.assert(
        fc.property(
          fc.uint8Array({ minLength: 32, maxLength: 32 }),
          // The largest Opus packet, and what DAVE adds to it.
          fc.integer({ min: 1, max: 1_275 + 16 }),
          fc.integer(),
          fc.tuple(
            fc.integer({ min: 0, max: 0xffff }),
            fc.integer({ min: 0, max: 0xffff_ffff }),
            fc.integer({ min: 0, max: 0xffff_ffff }),
            fc.integer({ min: 0, max: 0xffff_ffff }),
          ),
          (key, length, seed, at) => {
            const frame = seededBytes(length, seed);
            const packet = sealed(createSealer(mode, key), frame, at);
            const [sequence, timestamp, ssrc, nonce] = at;
            const header = { payloadType: 120, sequence, timestamp, ssrc };
            if (JSON.stringify(readHeader(packet)) !== JSON.stringify(header)) return false;
            const opened = openPacket(mode, key, packet);
            if (opened === null || !opened.equals(frame)) return false;
            return packet.equals(expected(mode, key, frame, packet.subarray(0, 12), nonce));
          },
        ),
        { numRuns: 150 },
      );
    });

    t.test('every length is sealed, up and down, by two keys in turn', CEILING, async (t) => {
      const keys = [KEY, seededBytes(32, 1)] as const;
      const sealers = keys.map((key) => createSealer(mode, key));
      const bytes = seededBytes(MAX_FRAME, 2);
      const lengths = Array.from({ length: MAX_FRAME }, (_, n) => n + 1);
      const wrong = [...lengths, ...lengths.toReversed()].filter((length, n) => {
        const frame = bytes.subarray(0, length);
        const packet = sealed(sealers[n % 2]!, frame, [n, n * 960, 7, n]);
        if (packet.length !== length + SEAL_OVERHEAD) return true;
        return openPacket(mode, keys[n % 2]!, packet)?.equals(frame) !== true;
      });
      t.same(wrong, []);
    });

    t.test('a packet that was changed anywhere, or has another key, does not open', CEILING, async (t) => {
      const packet = sealed(createSealer(mode, KEY), FRAME, [1, 2, 3, 4]);
      t.equal(openPacket(mode, seededBytes(32, 1), packet), null);
      // From the payload type on: the first byte says how long the header is.
      for (let at = 1; at < packet.length; at++) {
        const changed = Buffer.from(packet);
        changed.writeUInt8(packet.readUInt8(at) ^ 1, at);
        if (openPacket(mode, KEY, changed) !== null) t.fail(`byte ${at} is not authenticated`);
      }
    });

    t.test('sequence and timestamp of a count that goes on wrap', CEILING, async (t) => {
      const sealer = createSealer(mode, KEY);
      const wrap = 2 ** 32;
      const cases: readonly (readonly [[number, number], [number, number]])[] = [
        [
          [65_535, wrap - 1],
          [65_535, wrap - 1],
        ],
        [
          [65_536, wrap],
          [0, 0],
        ],
        [
          [65_537 + 65_536, wrap + 959],
          [1, 959],
        ],
      ];
      for (const [[sequence, timestamp], [low, short]] of cases) {
        const packet = sealed(sealer, FRAME, [sequence, timestamp, 0xffff_ffff, 0]);
        t.same(readHeader(packet), {
          payloadType: 120,
          sequence: low,
          timestamp: short,
          ssrc: 0xffff_ffff,
        });
        t.ok(openPacket(mode, KEY, packet)?.equals(FRAME));
      }
    });

    t.test('a nonce that would wrap, and what is no nonce, is refused', CEILING, async (t) => {
      const sealer = createSealer(mode, KEY);
      const packet = sealed(sealer, FRAME, [0, 0, 0, 0xffff_ffff]);
      t.equal(packet.readUInt32BE(packet.length - 4), 0xffff_ffff);
      for (const nonce of [2 ** 32, -1, 0.5, Number.NaN]) {
        t.throws(() => sealer.seal(FRAME, 0, 0, 0, nonce), { code: 'PUM_VOICE_FAILED' }, String(nonce));
      }
    });

    t.test('a frame that just fits is sealed, a longer one refused', CEILING, async (t) => {
      const sealer = createSealer(mode, KEY);
      t.equal(sealer.seal(new Uint8Array(MAX_FRAME), 0, 0, 0, 1), SCRATCH.length);
      for (const length of [MAX_FRAME + 1, SCRATCH.length, 100_000]) {
        t.throws(() => sealer.seal(new Uint8Array(length), 0, 0, 0, 2), {
          name: 'ServerError',
          code: 'PUM_VOICE_FAILED',
        });
      }
    });

    t.test('the key is a copy, and gone when the sealer is closed', CEILING, async (t) => {
      // A Buffer's slice() is no copy, and this one is what a gateway's message might give.
      const given = Buffer.from(KEY);
      const sealer = createSealer(mode, given);
      given.fill(0);
      t.equal(
        sealed(sealer, FRAME, [65_534, 2 ** 32 - 960, 0xc0ffee, 0x01020304]).toString('hex'),
        KNOWN[mode],
      );
      sealer.close();
      sealer.close();
      t.throws(() => sealer.seal(FRAME, 0, 0, 0, 0), { code: 'PUM_VOICE_FAILED' });
    });

    t.test('a key of another length is refused', CEILING, async (t) => {
      for (const length of [0, 16, 31, 33]) {
        t.throws(() => createSealer(mode, new Uint8Array(length)), { code: 'PUM_VOICE_FAILED' });
      }
    });
  });
}

t.test('a packet under XChaCha leaves no garbage', CEILING, async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const sealer = createSealer(SealMode.xchacha, KEY);
  const bytes = seededBytes(400, 3);
  const frames = Array.from({ length: 100 }, (_, n) => bytes.subarray(0, 200 + n));
  let nonce = 0;
  const perPacket = (rounds: number): number => {
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let round = 0; round < rounds; round++) {
      for (const frame of frames) sealer.seal(frame, nonce, nonce * 960, 7, nonce++);
    }
    return (process.memoryUsage().heapUsed - before) / (rounds * frames.length);
  };
  perPacket(300);
  // A view takes 96 bytes. The least of the runs, because the compiler works beside them; each
  // is too short for a collection of its own, which would hide what it is about.
  const least = Math.min(...Array.from({ length: 30 }, () => perPacket(20)));
  t.ok(least < 24, `${least.toFixed(1)} bytes`);
});
