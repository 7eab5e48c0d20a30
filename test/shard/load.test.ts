// From an identifier to an outcome, with sources and containers that are made up.

import t from 'tap';

import type { ByteSource } from '../../src/audio/bytes.js';
import type { Container, ContainerInfo } from '../../src/audio/container.js';
import { Loader, type OpenContainer } from '../../src/shard/load.js';
import { SourceRegistry } from '../../src/shard/source/registry.js';
import type { OpenedMedia, Source } from '../../src/shard/source/source.js';
import { ServerError } from '../../src/shared/errors.js';
import { UNKNOWN_LENGTH, type Track } from '../../src/shared/track.js';
import { decodeTrack } from '../../src/shared/track-token.js';
import { never } from '../support/http-source.js';

const limit = { timeout: 10_000 };

const info: ContainerInfo = {
  probe: 'mp3',
  format: { codec: 'mp3', sampleRate: 44_100, channels: 2, description: null },
  durationMs: 12_345,
  title: null,
  artist: null,
  isrc: null,
};

interface Opened {
  bytes: number;
  containers: number;
}

function loaderWith(parts: {
  resolve?: Source['resolve'];
  media?: Partial<OpenedMedia>;
  info?: Partial<ContainerInfo>;
  open?: OpenContainer;
  name?: string;
}): { loader: Loader; open: Opened } {
  const open: Opened = { bytes: 0, containers: 0 };
  const media = (): OpenedMedia => {
    open.bytes++;
    let closed = false;
    const close = (): void => {
      if (!closed) open.bytes--;
      closed = true;
    };
    const bytes: ByteSource = { size: 100, seekable: true, read: async () => null, close };
    const hint = { contentType: 'audio/mpeg', extension: 'mp3' };
    return {
      bytes,
      hint,
      location: 'http://x/final',
      title: null,
      author: null,
      live: false,
      ...parts.media,
    };
  };
  const source: Source = {
    name: parts.name ?? 'http',
    accepts: (identifier) => identifier.startsWith('http'),
    resolve: parts.resolve ?? (async () => media()),
    open: () => Promise.reject(new Error('not at a load')),
  };
  const container = async (): Promise<Container> => {
    open.containers++;
    return {
      info: { ...info, ...parts.info },
      packets: () => Promise.reject(new Error('not at a load')),
      close: () => {
        open.containers--;
      },
    };
  };
  return { loader: new Loader(new SourceRegistry([source]), parts.open ?? container), open };
}

async function trackOf(loader: Loader): Promise<Track> {
  const outcome = await loader.load('http://x', never);
  if (outcome.kind !== 'track') throw new Error(`got ${JSON.stringify(outcome)}`);
  return decodeTrack(outcome.token);
}

t.test('a load yields the token of what was found, and closes everything', limit, async (t) => {
  const { loader, open } = loaderWith({ info: { title: ' Song ', artist: 'Singer', isrc: 'USX' } });
  const track = await trackOf(loader);
  t.same(track.info, {
    identifier: 'http://x/final',
    isSeekable: true,
    author: 'Singer',
    length: 12_345n,
    isStream: false,
    position: 0n,
    title: 'Song',
    uri: 'http://x/final',
    sourceName: 'http',
    artworkUrl: null,
    isrc: 'USX',
  });
  t.match(Buffer.from(track.trailer).toString('latin1'), 'mp3');
  await Promise.resolve();
  t.same(open, { bytes: 0, containers: 0 });
});

t.test('a container without a length, or a radio with one, is a stream', limit, async (t) => {
  for (const parts of [{ info: { durationMs: null } }, { media: { live: true } }]) {
    const track = await trackOf(loaderWith(parts).loader);
    t.match(track.info, { isStream: true, isSeekable: false, length: UNKNOWN_LENGTH });
  }
});

t.test("a tag's name comes before the transport's, and that before none", limit, async (t) => {
  const media = { title: 'Station', author: 'Owner' };
  t.match((await trackOf(loaderWith({ media }).loader)).info, { title: 'Station', author: 'Owner' });
  t.match((await trackOf(loaderWith({ media, info: { title: 'Tag', artist: ' ' } }).loader)).info, {
    title: 'Tag',
    author: 'Owner',
  });
  t.match((await trackOf(loaderWith({}).loader)).info, { title: 'Unknown title', author: 'Unknown artist' });
  t.equal(
    (await trackOf(loaderWith({ info: { title: 'é'.repeat(70_000) } }).loader)).info.title.length,
    1_000,
  );
});

t.test('nothing there, and nobody who knows, are both empty', limit, async (t) => {
  const { loader } = loaderWith({ resolve: async () => null });
  t.same(await loader.load('http://x', never), { kind: 'empty' });
  t.same(await loader.load('ytsearch:x', never), { kind: 'empty' });
  t.same(await loader.load('', never), { kind: 'empty' });
});

t.test('every failure is an error outcome, and everything is closed', limit, async (t) => {
  const refuses = loaderWith({
    resolve: () => Promise.reject(new ServerError('PUM_SOURCE_REFUSED', { reason: 'private' })),
  });
  t.match(await refuses.loader.load('http://x', never), {
    kind: 'error',
    error: { code: 'PUM_SOURCE_REFUSED', parameters: { reason: 'private' } },
  });
  const odd = loaderWith({ open: () => Promise.reject(new TypeError('odd')) });
  t.match(await odd.loader.load('http://x', never), { kind: 'error', error: { code: 'PUM_LOAD_FAILED' } });
  t.equal(odd.open.bytes, 0);
  const throws = loaderWith({
    open: () => {
      throw new ServerError('PUM_FORMAT_UNKNOWN');
    },
  });
  t.match(await throws.loader.load('http://x', never), {
    kind: 'error',
    error: { code: 'PUM_FORMAT_UNKNOWN' },
  });
  t.equal(throws.open.bytes, 0);
});

t.test('a deadline ends a load even when the parser never looks up', limit, async (t) => {
  const deadline = new AbortController();
  let late: (container: Container) => void = () => undefined;
  const { loader, open } = loaderWith({ open: () => new Promise((resolve) => (late = resolve)) });
  const outcome = loader.load('http://x', deadline.signal);
  await new Promise((resolve) => setImmediate(resolve));
  deadline.abort(new ServerError('PUM_LOAD_DEADLINE', { ms: 10 }));
  t.match(await outcome, { kind: 'error', error: { code: 'PUM_LOAD_DEADLINE', parameters: { ms: 10 } } });
  t.equal(open.bytes, 0);
  let closed = false;
  late({ info, packets: () => Promise.reject(new Error('no')), close: () => (closed = true) });
  await new Promise((resolve) => setImmediate(resolve));
  t.ok(closed, 'what comes too late is closed too');
});
