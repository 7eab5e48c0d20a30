// Which connections an HTTP resource keeps while it is read in the order of a demuxer: one, and a second one no
// longer than a look elsewhere takes. Everything speaks to 127.0.0.1.

import type { Socket } from 'node:net';
import t, { type Test as T } from 'tap';

import { SOURCE } from '../../../src/shared/limits.js';
import { dialAddress, type Dial } from '../../../src/shard/source/dial.js';
import type { OpenedMedia } from '../../../src/shard/source/source.js';
import { never, opened, testSource } from '../../support/http-source.js';
import { Origin } from '../../support/origin.js';
import { seededBytes } from '../../support/seeded.js';

const limit = { timeout: 20_000 };
const SIZE = 1_200_000;
const body = seededBytes(SIZE, 42);

async function originOf(t: T): Promise<Origin> {
  const origin = await Origin.start();
  t.teardown(() => origin.close());
  origin.file('/a.mp3', { body });
  return origin;
}

/** Reads from `from` to `to`, and checks what comes. */
async function readOver(t: T, media: OpenedMedia, from: number, to: number): Promise<void> {
  for (let at = from; at < to;) {
    const bytes = await media.bytes.read(at, Math.min(16_384, to - at), never);
    if (bytes === null) throw new Error(`nothing at ${at}`);
    t.ok(Buffer.from(bytes).equals(body.subarray(at, at + bytes.length)), `${at}`);
    at += bytes.length;
  }
}

/** The usual dial, and those of its sockets that are open at our end. */
function countedDial(): { readonly dial: Dial; readonly open: ReadonlySet<Socket> } {
  const open = new Set<Socket>();
  const dial: Dial = (...to) => {
    const socket = dialAddress(...to);
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    return socket;
  };
  return { dial, open };
}

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; !what(); tries++) {
    if (tries > 1_000) throw new Error('it never came about');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

t.test('a look at the end leaves no second connection open', limit, async (t) => {
  const origin = await originOf(t);
  const { dial, open } = countedDial();
  const media = await opened(testSource({ dial }), origin.url('/a.mp3'));
  await readOver(t, media, 0, 1_000);
  await readOver(t, media, SIZE - 400_000, SIZE - 395_000);
  t.equal(open.size, 2, 'the end itself has not been read');
  await readOver(t, media, 1_000, 200_000);
  await until(() => open.size === 1);
  t.equal(origin.requests.length, 2);
  media.bytes.close();
  await origin.socketsGone();
});

t.test('a step back too far to be kept is made by one stream, not by two side by side', limit, async (t) => {
  const origin = await originOf(t);
  const { dial, open } = countedDial();
  const media = await opened(testSource({ dial }), origin.url('/a.mp3'));
  await readOver(t, media, 0, 300_000);
  await readOver(t, media, 10_000, 300_000);
  t.equal(origin.requests.length, 2);
  await until(() => open.size === 1);
  media.bytes.close();
  await origin.socketsGone();
});

t.test('whoever opens a file finds its beginning again, also after a look at the end', limit, async (t) => {
  const origin = await originOf(t);
  const media = await opened(testSource(), origin.url('/a.mp3'));
  await readOver(t, media, 0, 48_000);
  await readOver(t, media, 100, 200);
  await readOver(t, media, SIZE - 1_000, SIZE);
  await readOver(t, media, 0, 100_000);
  t.equal(origin.requests.length, 2);
  media.bytes.close();
  await origin.socketsGone();
});

t.test('a stream held for a long look far ahead is gone back to without a request', limit, async (t) => {
  const origin = await originOf(t);
  const media = await opened(testSource(), origin.url('/a.mp3'));
  await readOver(t, media, 0, 1_000);
  await readOver(t, media, SIZE - 500_000, SIZE);
  await readOver(t, media, 500, 10_000);
  t.equal(origin.requests.length, 2);
  media.bytes.close();
  await origin.socketsGone();
});

t.test('a demuxer that steps back again and again soon does so without a request', limit, async (t) => {
  const origin = await originOf(t);
  const media = await opened(testSource(), origin.url('/a.mp3'));
  const step = 2 * SOURCE.keepBehind;
  for (let from = 0; from < 1_000_000; from += step) await readOver(t, media, from, from + 2 * step);
  t.ok(origin.requests.length <= 4, `${origin.requests.length} requests for 15 steps back`);
  media.bytes.close();
  await origin.socketsGone();
});
