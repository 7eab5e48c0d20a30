// The local source and its jail: what is read, what is refused, what is nothing. Reliability case 33.

import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test as T } from 'tap';

import { FileSource } from '../../../src/shard/source/file.js';
import { failure, never, readAll } from '../../support/http-source.js';
import { seededBytes } from '../../support/seeded.js';

const limit = { timeout: 10_000 };
const body = seededBytes(700_000, 9);

/** A folder with a jail `media` and a secret beside it. */
async function jail(t: T): Promise<{ root: string; outside: string; source: FileSource }> {
  const base = t.testdir({
    media: { sub: { 'b.ogg': 'b' } },
    'media-too': { 'secret.txt': 's' },
    'secret.txt': 'secret',
  });
  const root = join(base, 'media');
  await writeFile(join(root, 'a.mp3'), body);
  return { root, outside: base, source: new FileSource(root) };
}

t.test('a file below the root is read by its relative or its absolute path', limit, async (t) => {
  const { root, source } = await jail(t);
  for (const path of ['a.mp3', './a.mp3', 'sub/../a.mp3', join(root, 'a.mp3')]) {
    const media = await source.resolve(path, never);
    t.match(media, {
      location: path,
      hint: { extension: 'mp3', contentType: null },
      live: false,
      title: null,
    });
    if (media === null) throw new Error('missing');
    t.equal(media.bytes.size, body.length);
    t.ok(media.bytes.seekable);
    t.ok(Buffer.from(await readAll(media)).equals(body));
    t.ok(Buffer.from(await readAll(media, 690_000, 1_000)).equals(body.subarray(690_000)));
    t.equal(await media.bytes.read(body.length, 1, never), null);
    t.ok(((await media.bytes.read(0, 10_000_000, never))?.length ?? 0) <= 256 * 1024, 'a read is bounded');
    media.bytes.close();
  }
});

t.test('every way out of the root is refused, and says nothing about what is there', limit, async (t) => {
  const { root, outside, source } = await jail(t);
  await symlink('/etc/passwd', join(root, 'link-out'));
  await symlink('../secret.txt', join(root, 'link-up'));
  await symlink('..', join(root, 'dir-up'));
  await symlink(join(outside, 'media-too'), join(root, 'dir-beside'));
  const escapes = [
    '..',
    '.',
    '../secret.txt',
    '../media-too/secret.txt',
    'sub/../../secret.txt',
    './../secret.txt',
    '/etc/passwd',
    '/etc/no-such-file',
    '../no-such-file',
    '/',
    root,
    join(outside, 'secret.txt'),
    `${root}/../secret.txt`,
    `${root}-too/secret.txt`,
    'link-out',
    'link-up',
    'dir-up/secret.txt',
    'dir-beside/secret.txt',
    'sub/../link-out',
    'dir-up/media/../secret.txt',
  ];
  for (const path of escapes) {
    const error = await failure(source.resolve(path, never));
    t.equal(error.code, 'PUM_SOURCE_FILE', path);
    t.notMatch(error.chain().join(), outside, 'no path is told');
  }
});

t.test('a link that stays inside is followed', limit, async (t) => {
  const { root, source } = await jail(t);
  await symlink('a.mp3', join(root, 'link-in.mp3'));
  const media = await source.resolve('link-in.mp3', never);
  t.equal(media?.bytes.size, body.length);
  media?.bytes.close();
});

t.test('a root that is itself a link is a root', limit, async (t) => {
  const { root, outside } = await jail(t);
  await symlink(root, join(outside, 'alias'));
  const source = new FileSource(join(outside, 'alias'));
  for (const path of ['a.mp3', join(outside, 'alias', 'a.mp3')]) {
    const media = await source.resolve(path, never);
    t.equal(media?.bytes.size, body.length, path);
    media?.bytes.close();
  }
});

t.test('only regular files are opened', limit, async (t) => {
  const { root, source } = await jail(t);
  await mkdir(join(root, 'folder'));
  execFileSync('mkfifo', [join(root, 'pipe')]);
  for (const path of ['folder', 'sub', 'pipe']) {
    t.equal((await failure(source.resolve(path, never))).code, 'PUM_SOURCE_FILE', path);
  }
});

t.test('what is missing is nothing', limit, async (t) => {
  const { root, source } = await jail(t);
  await symlink('nowhere', join(root, 'dangling'));
  for (const path of [
    'missing.mp3',
    'missing/a.mp3',
    'a.mp3/b',
    'dangling',
    'x'.repeat(300),
    'ytsearch:abc',
  ]) {
    t.equal(await source.resolve(path, never), null, path);
  }
  t.equal(await new FileSource(join(root, 'no-root')).resolve('a.mp3', never), null);
});

t.test('URLs and impossible paths are left to others', limit, async (t) => {
  const { source } = await jail(t);
  for (const path of [
    '',
    'http://a/b',
    'https://a',
    'icy://a',
    'file:///etc/passwd',
    'a\0b',
    'x'.repeat(5_000),
  ]) {
    t.notOk(source.accepts(path), path.slice(0, 20));
  }
  for (const path of ['a.mp3', '/a', 'ytsearch:abc', 'a b', 'C:\\a']) t.ok(source.accepts(path), path);
});

t.test('closing and aborting end a read; the file is let go', limit, async (t) => {
  const { source } = await jail(t);
  const media = await source.resolve('a.mp3', never);
  if (media === null) throw new Error('missing');
  const abort = new AbortController();
  const aborted = media.bytes.read(0, 10, abort.signal);
  abort.abort(new Error('enough'));
  await t.rejects(aborted, { message: 'enough' });
  await t.rejects(media.bytes.read(0, 10, abort.signal), { message: 'enough' });
  const reading = failure(media.bytes.read(0, 10, never));
  media.bytes.close();
  media.bytes.close();
  t.equal((await reading).code, 'PUM_SOURCE_BROKEN');
  t.equal((await failure(media.bytes.read(0, 10, never))).code, 'PUM_SOURCE_BROKEN');
  await t.rejects(source.resolve('a.mp3', abort.signal), { message: 'enough' });
});
