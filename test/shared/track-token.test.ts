// Track tokens against the golden vectors of lavalink-v4.md §3, arbitrary tracks and damaged bytes.
import fc from 'fast-check';
import t from 'tap';

import { TRACK } from '../../src/shared/limits.js';
import {
  decodeTrack,
  encodeTrack,
  probeInfoOf,
  probeTrailer,
  withPosition,
} from '../../src/shared/track-token.js';
import { UNKNOWN_LENGTH, type Track, type TrackInfo } from '../../src/shared/track.js';

const timeout = 10_000;

const BASE: TrackInfo = {
  identifier: 'id',
  isSeekable: true,
  author: 'A',
  length: 1_000n,
  isStream: false,
  position: 0n,
  title: 'T',
  uri: null,
  sourceName: 'youtube',
  artworkUrl: null,
  isrc: null,
};

interface Golden {
  readonly token: string;
  readonly version: number;
  readonly info: TrackInfo;
  readonly probeInfo: string | null;
}

const GOLDEN: Readonly<Record<string, Golden>> = {
  'http mp3, version 3': {
    version: 3,
    token:
      'QAAAdQMADVVua25vd24gdGl0bGUADlVua25vd24gYXJ0aXN0AAAAAAAAMDkAGWh0dHBzOi8vZXhhbXBsZS5jb20vYS5tcDMAAQAZaHR0cHM6Ly9leGFtcGxlLmNvbS9hLm1wMwAAAARodHRwAANtcDMAAAAAAAAAAA==',
    info: {
      ...BASE,
      identifier: 'https://example.com/a.mp3',
      uri: 'https://example.com/a.mp3',
      title: 'Unknown title',
      author: 'Unknown artist',
      length: 12_345n,
      sourceName: 'http',
    },
    probeInfo: 'mp3',
  },
  'HLS stream, version 3': {
    version: 3,
    token:
      'QAAAgQMADVVua25vd24gdGl0bGUADlVua25vd24gYXJ0aXN0f/////////8AGmh0dHBzOi8vZXhhbXBsZS5jb20vYS5tM3U4AQEAGmh0dHBzOi8vZXhhbXBsZS5jb20vYS5tM3U4AAAABGh0dHAADW0zdXxobHMtb3V0ZXIAAAAAAAAAAA==',
    info: {
      ...BASE,
      identifier: 'https://example.com/a.m3u8',
      uri: 'https://example.com/a.m3u8',
      title: 'Unknown title',
      author: 'Unknown artist',
      length: UNKNOWN_LENGTH,
      isStream: true,
      isSeekable: false,
      sourceName: 'http',
    },
    probeInfo: 'm3u|hls-outer',
  },
  'supplementary characters, version 3': {
    version: 3,
    token:
      'QAAAoQMACVTDqe2gvO2+tQABQQAAAAAAAzwgAAtkUXc0dzlXZ1hjUQABACtodHRwczovL3d3dy55b3V0dWJlLmNvbS93YXRjaD92PWRRdzR3OVdnWGNRAQA0aHR0cHM6Ly9pLnl0aW1nLmNvbS92aS9kUXc0dzlXZ1hjUS9tYXhyZXNkZWZhdWx0LmpwZwEAA1VTWAAHeW91dHViZQAAAAAAAOpg',
    info: {
      ...BASE,
      identifier: 'dQw4w9WgXcQ',
      title: 'T\u00e9\ud83c\udfb5',
      length: 212_000n,
      position: 60_000n,
      uri: 'https://www.youtube.com/watch?v=dQw4w9WgXcQ',
      artworkUrl: 'https://i.ytimg.com/vi/dQw4w9WgXcQ/maxresdefault.jpg',
      isrc: 'USX',
    },
    probeInfo: null,
  },
  'version 1': {
    version: 1,
    token: 'AAAAJAABVAABQQAAAAAAAAPoAAJpZAAAB3lvdXR1YmUAAAAAAAAAAA==',
    info: BASE,
    probeInfo: null,
  },
  'version 2': {
    version: 2,
    token:
      'QAAAjQIAJVJpY2sgQXN0bGV5IC0gTmV2ZXIgR29ubmEgR2l2ZSBZb3UgVXAADlJpY2tBc3RsZXlWRVZPAAAAAAADPCAAC2RRdzR3OVdnWGNRAAEAK2h0dHBzOi8vd3d3LnlvdXR1YmUuY29tL3dhdGNoP3Y9ZFF3NHc5V2dYY1EAB3lvdXR1YmUAAAAAAAAAAA==',
    info: {
      ...BASE,
      identifier: 'dQw4w9WgXcQ',
      title: 'Rick Astley - Never Gonna Give You Up',
      author: 'RickAstleyVEVO',
      length: 212_000n,
      uri: 'https://www.youtube.com/watch?v=dQw4w9WgXcQ',
    },
    probeInfo: null,
  },
};

for (const [name, golden] of Object.entries(GOLDEN)) {
  void t.test(`the golden token ${name} reads as Lavalink reads it`, { timeout }, async (t) => {
    const track = decodeTrack(golden.token);
    t.same(track.info, golden.info);
    t.equal(probeInfoOf(track), golden.probeInfo);
    t.equal(track.trailer.length, golden.probeInfo === null ? 0 : golden.probeInfo.length + 2);
    const again = encodeTrack(track);
    t.same(decodeTrack(again), track, 'written as version 3 it reads the same');
    if (golden.version === 3) t.equal(again, golden.token, 'and it is the same to the last character');
  });
}

/** All strings of UTF-16, lone surrogates and zeros included. */
const text = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(0, 0xd83c, 0xdfb5)), { maxLength: 40 })
  .map((units) => String.fromCharCode(...units));
const nullable = fc.option(text, { nil: null });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

const anyTrack: fc.Arbitrary<Track> = fc
  .record({
    identifier: text,
    author: text,
    title: text,
    length: int64,
    position: int64,
    isStream: fc.boolean(),
    uri: nullable,
    artworkUrl: nullable,
    isrc: nullable,
    sourceName: fc.oneof(fc.constantFrom('http', 'local', 'youtube', 'spotify'), text),
  })
  .chain((info) => {
    const trailer =
      info.sourceName === 'http' || info.sourceName === 'local'
        ? text.map(probeTrailer)
        : info.sourceName === 'youtube'
          ? fc.constant(new Uint8Array(0))
          : fc.uint8Array({ maxLength: 40 });
    return trailer.map((trailer) => ({ info: { ...info, isSeekable: !info.isStream }, trailer }));
  });

void t.test('any track survives the round trip', { timeout }, async (t) => {
  fc.assert(
    fc.property(anyTrack, (track) => {
      const read = decodeTrack(encodeTrack(track));
      t.strictSame(read.info, track.info);
      t.equal(Buffer.compare(read.trailer, track.trailer), 0);
    }),
    { numRuns: 200 },
  );
});

function codeOf(action: () => unknown): string | null {
  try {
    action();
    return null;
  } catch (error) {
    return String((error as { code?: unknown }).code);
  }
}

void t.test('damaged tokens give a track or PUM_TOKEN_INVALID, nothing else', { timeout }, async (t) => {
  const mutated = fc
    .tuple(anyTrack.map(encodeTrack), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat(8))
    .map(([token, changes, cut]) => {
      const bytes = Buffer.from(token, 'base64');
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
      return bytes.subarray(0, bytes.length - cut).toString('base64');
    });
  const random = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes).toString('base64'));
  let refused = 0;
  fc.assert(
    fc.property(fc.oneof(mutated, random, fc.string()), (token) => {
      const code = codeOf(() => decodeTrack(token));
      if (code !== null) refused++;
      return code === null || code === 'PUM_TOKEN_INVALID';
    }),
    { numRuns: 300 },
  );
  t.ok(refused > 100);
});

void t.test('every truncation of a token is refused', { timeout }, async (t) => {
  const bytes = Buffer.from(GOLDEN['http mp3, version 3']?.token ?? '', 'base64');
  for (let length = 0; length < bytes.length; length++) {
    const token = bytes.subarray(0, length).toString('base64');
    t.equal(
      codeOf(() => decodeTrack(token)),
      'PUM_TOKEN_INVALID',
      `${length} bytes`,
    );
  }
});

void t.test('only standard Base64 with padding is read', { timeout }, async (t) => {
  const token = GOLDEN['supplementary characters, version 3']?.token ?? '';
  const padded = GOLDEN['version 1']?.token ?? '';
  for (const wrong of [
    '',
    padded.replace(/=+$/, ''),
    padded.slice(0, -1),
    `${padded}=`,
    `${padded}\n`,
    ` ${padded}`,
    token.replace('+', '-'),
    `${token.slice(0, 76)}\r\n${token.slice(76)}`,
    'QAAA*',
  ]) {
    t.equal(
      codeOf(() => decodeTrack(wrong)),
      'PUM_TOKEN_INVALID',
      wrong,
    );
  }
});

void t.test('a size of zero is no track', { timeout }, async (t) => {
  for (const header of ['00000000', '40000000', 'c0000000']) {
    const token = Buffer.from(`${header}0000`, 'hex').toString('base64');
    t.throws(() => decodeTrack(token), { code: 'PUM_TOKEN_INVALID', message: /empty/ });
  }
});

void t.test(
  'a later version is read as version 3, and its further fields skipped',
  { timeout },
  async (t) => {
    const golden = GOLDEN['http mp3, version 3'];
    const bytes = Buffer.from(golden?.token ?? '', 'base64');
    const longer = Buffer.concat([bytes, Buffer.from([1, 2, 3])]);
    longer.writeUInt32BE(0x4000_0000 | (longer.length - 4));
    longer[4] = 200;
    t.same(decodeTrack(longer.toString('base64')).info, golden?.info);
  },
);

void t.test('what follows the message is ignored', { timeout }, async (t) => {
  const golden = GOLDEN['version 1'];
  const bytes = Buffer.from(golden?.token ?? '', 'base64');
  const longer = Buffer.concat([bytes, Buffer.from('more')]);
  t.same(decodeTrack(longer.toString('base64')).info, golden?.info);
});

void t.test("another source's trailer is kept byte by byte", { timeout }, async (t) => {
  const trailer = Uint8Array.of(1, 0, 1, 0x61, 0, 0, 0, 0, 0);
  const track = { info: { ...BASE, sourceName: 'spotify', position: 5n }, trailer };
  const read = decodeTrack(encodeTrack(track));
  t.equal(Buffer.from(read.trailer).toString('hex'), '010001610000000000');
  t.equal(read.info.position, 5n);
  t.equal(probeInfoOf(read), null);
});

void t.test('a text above 65,535 bytes cannot be encoded', { timeout }, async (t) => {
  t.throws(() => encodeTrack({ info: { ...BASE, title: 'A'.repeat(71_680) }, trailer: new Uint8Array(0) }), {
    code: 'PUM_TOKEN_UNENCODABLE',
    message: 'encoded string (AAAAAAAA\u2026) too long: 71680 bytes',
  });
  t.throws(() => probeTrailer('\u20ac'.repeat(21_846)), { code: 'PUM_TOKEN_UNENCODABLE' });
});

void t.test('a token above the ceiling is neither written nor read', { timeout }, async (t) => {
  const longest = { info: { ...BASE, title: 'A'.repeat(12_245) }, trailer: new Uint8Array(0) };
  const token = encodeTrack(longest);
  t.equal(token.length, TRACK.maxToken);
  t.equal(decodeTrack(token).info.title.length, 12_245);
  const longer = { ...longest, info: { ...longest.info, title: 'A'.repeat(12_246) } };
  t.equal(
    codeOf(() => encodeTrack(longer)),
    'PUM_TOKEN_TOO_LONG',
  );
  t.equal(
    codeOf(() => decodeTrack(`${token}AAAA`)),
    'PUM_TOKEN_TOO_LONG',
  );
});

void t.test('withPosition changes the position alone', { timeout }, async (t) => {
  const track = decodeTrack(GOLDEN['http mp3, version 3']?.token ?? '');
  const moved = withPosition(track, 7_000n);
  t.same(moved, { trailer: track.trailer, info: { ...track.info, position: 7_000n } });
  t.equal(track.info.position, 0n);
});

void t.test('a damaged trailer has no probe', { timeout }, async (t) => {
  for (const trailer of [[], [0], [0, 5, 0x61], [0, 1, 0xff]]) {
    t.equal(probeInfoOf({ info: { ...BASE, sourceName: 'http' }, trailer: Uint8Array.from(trailer) }), null);
  }
  t.equal(probeInfoOf({ info: { ...BASE, sourceName: 'http' }, trailer: probeTrailer('mp3') }), 'mp3');
});
