// Claims about how the quality of a player's tracks is counted: from what its row says, over pauses, over the deaths of
// its shard, and only as many tracks as there is room for.
import t from 'tap';
import { qualityJson } from '../../src/main/quality-json.js';
import type { PlayerQuality } from '../../src/main/quality.js';
import { PlayerWord } from '../../src/shared/counter-words.js';
import { DIAGNOSIS } from '../../src/shared/limits.js';
import { decodeTrack, encodeTrack } from '../../src/shared/track-token.js';
import { MainClient } from '../support/main-client.js';
import { mainNode, MP3_TOKEN, settle, VOICE } from '../support/main-node.js';

const CEILING = { timeout: 10_000 };

interface Report {
  readonly track: { readonly identifier: string; readonly title: string; readonly sourceName: string };
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly reason: string | null;
  readonly playedMs: number;
  readonly frames: Record<'expected' | 'sent' | 'nulled' | 'deficit' | 'late', number>;
  readonly causes: Record<'source' | 'decode' | 'ring' | 'socket', number>;
  readonly emptied: number;
  readonly lateness: {
    readonly buckets: readonly { readonly le: number | null; readonly count: number }[];
    readonly p50Ms: number | null;
    readonly p99Ms: number | null;
    readonly maxMs: number;
  };
  readonly shardDeaths: number;
}

interface Quality {
  readonly current: Report | null;
  readonly ended: readonly Report[];
}

function house() {
  const client = new MainClient(mainNode());
  const { clock, fleet } = client.main;
  const record = (): PlayerQuality => {
    const player = client.session.players.get('1');
    if (player === null) throw new Error('no player');
    return player.quality;
  };
  return {
    client,
    clock,
    fleet,
    quality: (): Quality => qualityJson(record()) as Quality,
    set: (words: Partial<Record<keyof typeof PlayerWord, number>>): void => {
      for (const [name, value] of Object.entries(words)) {
        fleet.setWord(client.id(), PlayerWord[name as keyof typeof PlayerWord], value);
      }
    },
    /** Frames of each lateness bucket. */
    late: (counts: readonly number[]): void => {
      for (const [index, count] of counts.entries())
        fleet.setWord(client.id(), PlayerWord.late + index, count);
    },
  };
}

t.test('a track is told from its start: what was counted before it is not its own', CEILING, async (t) => {
  const { client, clock, quality, set, late } = house();
  await client.patch({ voice: VOICE });
  t.strictSame(quality(), { current: null, ended: [] });
  set({ sent: 900, nulled: 40, nulledSource: 40, emptied: 3, maxLate: 95 });
  late([800, 50, 50]);
  await client.patch({ encodedTrack: MP3_TOKEN });
  const startedAt = clock.wall();
  set({
    sent: 1_340,
    nulled: 90,
    nulledSource: 70,
    nulledDecode: 12,
    nulledRing: 5,
    nulledSocket: 3,
    emptied: 11,
  });
  late([1_100, 120, 70, 20, 18, 8, 4]);
  clock.advance(10_000);
  t.strictSame(quality(), {
    current: {
      track: { identifier: 'https://example.com/a.mp3', title: 'Unknown title', sourceName: 'http' },
      startedAt,
      endedAt: null,
      reason: null,
      playedMs: 10_000,
      frames: { expected: 500, sent: 440, nulled: 50, deficit: 10, late: 12 },
      causes: { source: 30, decode: 12, ring: 5, socket: 3 },
      emptied: 8,
      lateness: {
        buckets: [
          { le: 1, count: 300 },
          { le: 2.5, count: 70 },
          { le: 5, count: 20 },
          { le: 10, count: 20 },
          { le: 20, count: 18 },
          { le: 40, count: 8 },
          { le: 100, count: 4 },
          { le: 400, count: 0 },
          { le: null, count: 0 },
        ],
        // The worst of this player is older than the track, and the track's own worst lies in the bucket of 100 ms.
        p50Ms: 1,
        p99Ms: 40,
        maxMs: 95,
      },
      shardDeaths: 0,
    },
    ended: [],
  });
});

t.test(
  'the greatest lateness is exact when it is the greatest so far, else what its bucket allows',
  CEILING,
  async (t) => {
    const { client, fleet, quality, set, late } = house();
    await client.patch({ encodedTrack: MP3_TOKEN });
    t.match(quality().current?.lateness, { p50Ms: null, p99Ms: null, maxMs: 0 }, 'nothing has left');
    set({ maxLate: 733.5 });
    late([97, 0, 0, 0, 0, 0, 0, 0, 3]);
    t.match(quality().current?.lateness, { p50Ms: 1, p99Ms: 733.5, maxMs: 733.5 });
    t.match(quality().current?.frames, { late: 3 });
    fleet.end(client.id(), 'finished');
    await client.patch({ encodedTrack: MP3_TOKEN });
    late([197, 0, 2, 0, 0, 0, 0, 0, 3]);
    t.match(quality().current?.lateness, { p50Ms: 1, p99Ms: 5, maxMs: 5 });
    t.match(quality().ended, [{ lateness: { maxMs: 733.5 } }]);
  },
);

t.test('only the time in which a track is on and not paused expects frames', CEILING, async (t) => {
  const { client, clock, quality } = house();
  await client.patch({ encodedTrack: MP3_TOKEN });
  clock.advance(1_000);
  await client.patch({ paused: true });
  clock.advance(60_000);
  t.match(quality().current, { playedMs: 1_000, frames: { expected: 50, deficit: 50 } });
  await client.patch({ paused: false });
  clock.advance(500);
  t.match(quality().current, { playedMs: 1_500, frames: { expected: 75 } });
  await client.patch({ track: { encoded: null } });
  clock.advance(10_000);
  t.match(quality(), { current: null, ended: [{ playedMs: 1_500, reason: 'stopped' }] });
  await client.patch({ paused: true });
  await client.patch({ encodedTrack: MP3_TOKEN, paused: true });
  clock.advance(3_000);
  t.match(quality().current, { playedMs: 0, frames: { expected: 0, deficit: 0 } }, 'one that starts paused');
});

t.test('a death of the shard keeps what was counted, and the new row adds to it', CEILING, async (t) => {
  const { client, clock, fleet, quality, set, late } = house();
  await client.patch({ voice: VOICE, track: { encoded: MP3_TOKEN } });
  set({ sent: 100, nulled: 7, nulledRing: 7, maxLate: 12 });
  late([98, 0, 0, 0, 2]);
  clock.advance(2_000);
  fleet.die(0);
  // A sender empties what the shard had sealed.
  set({ sent: 120 });
  t.match(quality().current, { frames: { sent: 120, nulled: 7 }, shardDeaths: 1 });
  fleet.revive(0);
  await settle();
  t.match(quality().current, { frames: { sent: 120, nulled: 7 }, shardDeaths: 1 }, 'in the new row');
  set({ sent: 30, nulled: 15, nulledSource: 1, maxLate: 3 });
  late([29, 0, 1]);
  clock.advance(1_000);
  t.match(quality().current, {
    playedMs: 3_000,
    frames: { expected: 150, sent: 150, nulled: 22, deficit: -22 },
    causes: { ring: 7, source: 1 },
    lateness: {
      buckets: [{ count: 127 }, { count: 0 }, { count: 1 }, { count: 0 }, { count: 2 }],
      maxMs: 12,
    },
  });
  fleet.die(0);
  fleet.revive(0);
  await settle();
  set({ sent: 5 });
  fleet.end(client.id(), 'finished');
  t.match(quality(), {
    current: null,
    ended: [{ frames: { sent: 155 }, shardDeaths: 2, reason: 'finished' }],
  });
});

t.test('the last tracks are remembered with the reasons of their ends, and no more', CEILING, async (t) => {
  const { client, clock, fleet, quality } = house();
  const most = DIAGNOSIS.maxReports;
  for (let n = 0; n < most + 3; n++) {
    await client.patch({ encodedTrack: MP3_TOKEN });
    clock.advance(1_000 * (n + 1));
    if (n % 2 === 0) fleet.end(client.id(), n % 4 === 0 ? 'finished' : 'cleanup');
  }
  const { current, ended } = quality();
  t.equal(current, null);
  t.equal(ended.length, most);
  t.strictSame(
    ended.map(({ playedMs }) => playedMs),
    Array.from({ length: most }, (_, n) => 1_000 * (n + 4)),
    'the newest last',
  );
  t.strictSame([...new Set(ended.map(({ reason }) => reason))], ['replaced', 'finished', 'cleanup']);
  t.ok(ended.every((report) => (report.endedAt ?? 0) - report.startedAt === report.playedMs));
  await client.remove();
  await client.patch({ encodedTrack: MP3_TOKEN });
  t.match(
    quality(),
    { current: { playedMs: 0 }, ended: [] },
    'a new player of the guild knows nothing of them',
  );
});

t.test('texts of a track are kept up to a length, and no character in half', CEILING, async (t) => {
  const { client, quality } = house();
  const track = decodeTrack(MP3_TOKEN);
  const most = DIAGNOSIS.maxText;
  const title = `${'x'.repeat(most - 1)}😀${'y'.repeat(5_000)}`;
  const encoded = encodeTrack({ ...track, info: { ...track.info, title, author: 'z'.repeat(most) } });
  await client.patch({ track: { encoded } });
  t.equal(quality().current?.track.title, 'x'.repeat(most - 1));
  t.notMatch(JSON.stringify(quality()), encoded.slice(0, 60), 'the token is not repeated');
});
