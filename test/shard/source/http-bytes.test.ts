// An HTTP resource read by offset from origins that die, stall, lie and ignore ranges. Everything speaks to
// 127.0.0.1. Reliability case 35.

import t, { type Test as T } from 'tap';

import { systemClock, type Clock } from '../../../src/shared/clock.js';
import { SOURCE } from '../../../src/shared/limits.js';
import { failure, never, opened, readAll, testSource } from '../../support/http-source.js';
import { ManualClock } from '../../support/manual-clock.js';
import { Origin, type OriginFile } from '../../support/origin.js';
import { seeded, seededBytes } from '../../support/seeded.js';
import { TcpFault } from '../../support/tcp-fault.js';

const limit = { timeout: 20_000 };
const SIZE = 1_200_000;
const body = seededBytes(SIZE, 42);

async function originOf(t: T, file: Partial<OriginFile> = {}): Promise<Origin> {
  const origin = await Origin.start();
  t.teardown(() => origin.close());
  origin.file('/a.mp3', { body, ...file });
  return origin;
}

const same = (bytes: Uint8Array, from: number, to = SIZE): boolean =>
  Buffer.from(bytes).equals(body.subarray(from, to));

t.test('a whole file is read with one request', limit, async (t) => {
  const origin = await originOf(t);
  const media = await opened(testSource(), origin.url('/a.mp3'));
  t.equal(media.bytes.size, SIZE);
  t.ok(media.bytes.seekable);
  t.ok(same(await readAll(media), 0));
  t.equal(origin.requests.length, 1);
  t.equal(await media.bytes.read(SIZE, 1, never), null);
  t.equal(await media.bytes.read(SIZE + 10, 1, never), null);
  await origin.socketsGone();
});

t.test('small steps back and skips forward cost no request', limit, async (t) => {
  const origin = await originOf(t);
  const media = await opened(testSource(), origin.url('/a.mp3'));
  for (const [offset, length] of [
    [0, 12],
    [0, 4_096],
    [4, 10],
    [100_000, 10],
    [99_000, 100],
    [500_000, 10],
  ] as const) {
    const bytes = await media.bytes.read(offset, length, never);
    t.ok(bytes !== null && same(bytes, offset, offset + bytes.length), `${offset}`);
  }
  t.equal(origin.requests.length, 1);
  media.bytes.close();
  await origin.socketsGone();
});

t.test('a look at the end and back costs one further request', limit, async (t) => {
  const origin = await originOf(t, { etag: '"v1"' });
  const media = await opened(testSource(), origin.url('/a.mp3'));
  await media.bytes.read(0, 65_536, never);
  const tail = await media.bytes.read(SIZE - 5_000, 5_000, never);
  t.ok(tail !== null && same(tail, SIZE - 5_000, SIZE - 5_000 + tail.length));
  t.ok(same(await readAll(media, 1_000), 1_000));
  t.equal(origin.requests.length, 2);
  t.match(origin.requests[1]?.headers, { range: `bytes=${SIZE - 5_000}-`, 'if-range': '"v1"' });
  await origin.socketsGone();
});

t.test('reads at random places are right', limit, async (t) => {
  const origin = await originOf(t);
  const media = await opened(testSource(), origin.url('/a.mp3'));
  const random = seeded(5);
  for (let i = 0; i < 40; i++) {
    const offset = Math.floor(random() * SIZE);
    const bytes = await media.bytes.read(offset, 1 + Math.floor(random() * 40_000), never);
    t.ok(bytes !== null && bytes.length > 0 && same(bytes, offset, offset + bytes.length), `${offset}`);
  }
  t.ok(origin.openSockets <= 2, 'never more than two streams');
  media.bytes.close();
  await origin.socketsGone();
});

t.test('reads asked for together are answered each for itself', limit, async (t) => {
  const origin = await originOf(t);
  const media = await opened(testSource(), origin.url('/a.mp3'));
  const offsets = [0, 1_000_000, 10, 900_000, 600_000];
  const all = await Promise.all(
    offsets.map((offset) => media.bytes.read(offset, 100, never).then((bytes) => bytes?.slice() ?? null)),
  );
  for (const [index, bytes] of all.entries()) {
    const offset = offsets[index] ?? 0;
    t.ok(bytes !== null && same(bytes, offset, offset + bytes.length));
  }
  media.bytes.close();
  await origin.socketsGone();
});

t.test('an aborted read harms neither the reads beside it nor the next one', limit, async (t) => {
  const origin = await originOf(t, { drip: { bytes: 10_000, everyMs: 2 } });
  const media = await opened(testSource(), origin.url('/a.mp3'));
  const abort = new AbortController();
  const first = media.bytes.read(400_000, 10, abort.signal);
  const second = media.bytes.read(0, 10, abort.signal);
  const third = media.bytes.read(20, 10, never);
  abort.abort(new Error('enough'));
  await t.rejects(first, { message: 'enough' });
  await t.rejects(second, { message: 'enough' });
  const bytes = await third;
  t.ok(bytes !== null && same(bytes, 20, 20 + bytes.length));
  media.bytes.close();
  await origin.socketsGone();
});

t.test('a source that dies at twenty places is put together byte for byte', limit, async (t) => {
  const random = seeded(35);
  const dieAt = Array.from({ length: 20 }, () => 1 + Math.floor(random() * 100_000));
  for (const dieWith of ['reset', 'end'] as const) {
    const origin = await originOf(t, { dieAt, dieWith, etag: '"v1"' });
    const media = await opened(testSource(), origin.url('/a.mp3'));
    t.ok(same(await readAll(media, 0, 8_192), 0), dieWith);
    t.equal(origin.requests.length, 21);
    for (const request of origin.requests.slice(1))
      t.match(request.headers, { range: /^bytes=\d+-$/, 'if-range': '"v1"' });
    await origin.socketsGone();
  }
});

t.test('a chunked answer that breaks off is resumed as well', limit, async (t) => {
  const origin = await originOf(t, { chunked: true, dieAt: [300_000, 5] });
  const media = await opened(testSource(), origin.url('/a.mp3'));
  t.equal(media.bytes.size, null);
  t.ok(same(await readAll(media), 0));
  t.equal(origin.requests.length, 3);
});

t.test(
  'an origin without ranges is read again from the start, as far as that is bearable',
  limit,
  async (t) => {
    const near = await originOf(t, { range: 'no', dieAt: [400_000, 100_000] });
    const media = await opened(testSource(), near.url('/a.mp3'));
    t.notOk(media.bytes.seekable);
    t.ok(same(await readAll(media), 0));
    t.equal(near.requests.length, 3);

    // An end and no reset, which would throw away what is still on its way and leave less to skip.
    const far = await originOf(t, { range: 'no', dieWith: 'end', dieAt: [SOURCE.maxSkip + 100_000] });
    const lost = await opened(testSource(), far.url('/a.mp3'));
    t.equal((await failure(readAll(lost))).code, 'PUM_SOURCE_BROKEN');
    lost.bytes.close();
    await far.socketsGone();
  },
);

t.test('a far read on an origin without ranges fails without harming the stream', limit, async (t) => {
  const origin = await originOf(t, { range: 'no' });
  const media = await opened(testSource(), origin.url('/a.mp3'));
  t.equal((await failure(media.bytes.read(1_000_000, 10, never))).code, 'PUM_SEEK_FAILED');
  t.equal(origin.requests.length, 1);
  t.ok(same(await readAll(media), 0));
});

t.test('an origin that does not mention ranges is asked once', limit, async (t) => {
  const silent = await originOf(t, { range: 'unsaid' });
  const media = await opened(testSource(), silent.url('/a.mp3'));
  t.ok(media.bytes.seekable);
  t.equal(silent.requests[1]?.headers.range, 'bytes=0-0');
  t.equal(silent.requests.length, 2);
  media.bytes.close();

  const without = await originOf(t, { range: 'ignored' });
  const plain = await opened(testSource(), without.url('/a.mp3'));
  t.notOk(plain.bytes.seekable);
  t.ok(same(await readAll(plain), 0));
  t.equal(without.requests.length, 2);
  await without.socketsGone();
});

t.test('a short file can be read in any order from any origin', limit, async (t) => {
  const origin = await Origin.start();
  t.teardown(() => origin.close());
  origin.file('/short', { body: body.subarray(0, 200_000), range: 'ignored' });
  const media = await opened(testSource(), origin.url('/short'));
  t.ok(media.bytes.seekable);
  for (const offset of [199_000, 0, 100_000, 5]) {
    const bytes = await media.bytes.read(offset, 100, never);
    t.ok(bytes !== null && same(bytes, offset, offset + bytes.length), `${offset}`);
  }
  media.bytes.close();
  await origin.socketsGone();
});

t.test('an origin that boasts of ranges and ignores them is found out', limit, async (t) => {
  const origin = await originOf(t, { range: 'lie' });
  const media = await opened(testSource(), origin.url('/a.mp3'));
  t.ok(media.bytes.seekable);
  t.equal((await failure(media.bytes.read(1_000_000, 10, never))).code, 'PUM_SEEK_FAILED');
  t.notOk(media.bytes.seekable);
  t.ok(same(await readAll(media), 0));
  await origin.socketsGone();
});

t.test('a file that has changed is not spliced onto the old one', limit, async (t) => {
  const changes: Record<string, Partial<OriginFile>> = {
    'another tag': { etag: '"v2"' },
    'another size': { body: body.subarray(0, SIZE - 1) },
    'a false range': { headers: { 'content-range': `bytes 0-${SIZE - 1}/${SIZE}` }, status: 206 },
    'a range of nothing': { headers: { 'content-range': 'bytes */5' }, status: 206 },
  };
  for (const [what, change] of Object.entries(changes)) {
    const origin = await originOf(t, { etag: '"v1"', dieAt: [1_000] });
    const media = await opened(testSource(), origin.url('/a.mp3'));
    origin.file('/a.mp3', { body, etag: '"v1"', ...change });
    const error = await failure(readAll(media));
    t.equal(error.code, 'PUM_SOURCE_BROKEN', what);
    t.equal(origin.requests.length, 2, 'and not asked again');
    media.bytes.close();
    await origin.socketsGone();
  }
});

t.test('a body longer than it says is cut, one shorter is a dead connection', limit, async (t) => {
  const long = await Origin.start();
  t.teardown(() => long.close());
  long.handle('/long', ({ socket }) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcdef'));
  const media = await opened(testSource(), long.url('/long'));
  t.equal(Buffer.from(await readAll(media)).toString(), 'abc');

  const short = await originOf(t, {
    declaredLength: SIZE + 10,
    range: 'no',
    dieWith: 'end',
    dieAt: Array(9).fill(SIZE),
  });
  const lost = await opened(testSource(), short.url('/a.mp3'));
  t.equal((await failure(readAll(lost))).code, 'PUM_SOURCE_BROKEN');
  lost.bytes.close();
});

t.test('an origin that stays away is asked five times, ever later, then the read fails', limit, async (t) => {
  const origin = await originOf(t, { dieAt: [1_000], statuses: [200], status: 503 });
  const waits: number[] = [];
  const clock: Clock = {
    ...systemClock,
    after(ms, action) {
      // Timeouts are far longer; what is left are the waits between two tries.
      if (ms > 100_000) return { cancel: () => undefined };
      waits.push(ms);
      return systemClock.after(0, action);
    },
  };
  const media = await opened(testSource({ clock }), origin.url('/a.mp3'));
  t.equal((await failure(readAll(media))).parameters['status'], 503);
  t.equal(origin.requests.length, 1 + SOURCE.maxReconnects);
  t.equal(waits.length, SOURCE.maxReconnects);
  for (const [attempt, waited] of waits.entries()) {
    const even = 250 * 2 ** attempt;
    t.ok(waited >= even * 0.75 && waited <= even * 1.25, `${waited} ms before try ${attempt + 1}`);
  }
  media.bytes.close();
  await origin.socketsGone();
});

t.test('a refusal while resuming ends the read at once', limit, async (t) => {
  for (const status of [403, 404, 410]) {
    const origin = await originOf(t, { dieAt: [1_000], statuses: [200], status });
    const media = await opened(testSource(), origin.url('/a.mp3'));
    t.equal((await failure(readAll(media))).parameters['status'], status);
    t.equal(origin.requests.length, 2);
    media.bytes.close();
  }
});

t.test('a name that turns private before a resumption is refused then', limit, async (t) => {
  const origin = await originOf(t, { dieAt: [1_000] });
  let asked = 0;
  const resolver = async (): Promise<string[]> => (asked++ === 0 ? ['127.0.0.1'] : ['10.0.0.1']);
  const media = await opened(testSource({ resolver }), `http://turns.example.com:${origin.port}/a.mp3`);
  t.equal((await failure(readAll(media))).code, 'PUM_SOURCE_REFUSED');
  media.bytes.close();
});

t.test('silence in the body is ended by the idle time and resumed', limit, async (t) => {
  const origin = await originOf(t, { stallAt: [100_000, 50_000] });
  const media = await opened(testSource({ timeouts: { idle: 10_000 } }), origin.url('/a.mp3'));
  t.ok(same(await readAll(media), 0));
  t.equal(origin.requests.length, 3);
  await origin.socketsGone();
});

t.test('a radio that breaks off goes on at the live edge', limit, async (t) => {
  const origin = await Origin.start();
  t.teardown(() => origin.close());
  let answers = 0;
  origin.handle('/live', (request, response) => {
    t.notOk(request.headers.range);
    response.writeHead(200, { 'content-type': 'audio/mpeg', 'icy-name': 'Radio' });
    response.write(answers++ === 0 ? 'before ' : 'after', () => {
      if (answers === 1) setTimeout(() => response.socket?.resetAndDestroy(), 20);
      else response.end();
    });
  });
  const media = await opened(testSource(), origin.url('/live'));
  t.ok(media.live);
  t.notOk(media.bytes.seekable);
  t.equal(Buffer.from(await readAll(media)).toString(), 'before after');
});

t.test('closing ends reads under way and frees every socket, in the middle of anything', limit, async (t) => {
  const origin = await originOf(t, { stallAt: [1_000, 1_000] });
  const media = await opened(testSource(), origin.url('/a.mp3'));
  const reading = failure(media.bytes.read(100_000, 10, never));
  const waiting = failure(media.bytes.read(0, 10, never));
  await new Promise((resolve) => setTimeout(resolve, 20));
  media.bytes.close();
  media.bytes.close();
  t.equal((await reading).code, 'PUM_SOURCE_BROKEN');
  t.equal((await waiting).code, 'PUM_SOURCE_BROKEN');
  t.equal((await failure(media.bytes.read(0, 10, never))).code, 'PUM_SOURCE_BROKEN');
  await origin.socketsGone();
});

t.test('closing while a reconnection waits ends it', limit, async (t) => {
  const origin = await originOf(t, { dieAt: [1_000] });
  const clock = new ManualClock();
  const media = await opened(testSource({ clock }), origin.url('/a.mp3'));
  const reading = failure(readAll(media));
  // The wait before the reconnection is the only timer once the first bytes are read.
  for (let turn = 0; clock.pending !== 1 || origin.openSockets !== 0; turn++) {
    if (turn > 2_000) throw new Error('no wait');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  media.bytes.close();
  t.equal((await reading).code, 'PUM_SOURCE_BROKEN');
  t.equal(clock.pending, 0);
  t.equal(origin.requests.length, 1);
});

t.test('slices, delays and cuts on the way change nothing', limit, async (t) => {
  const origin = await originOf(t);
  const relay = await TcpFault.start({ port: origin.port, seed: 11 });
  t.teardown(() => relay.close());
  relay.slicer(20_000);
  relay.latency(1, 1);
  relay.limitData(250_000);
  const media = await opened(testSource(), `http://127.0.0.1:${relay.port}/a.mp3`);
  t.ok(same(await readAll(media), 0));
  t.ok(relay.connections >= 5);
});
