// What reading and demuxing cost: src/audio/demux.ts over a minute of sound in memory, packet by packet to the
// end. Nothing is decoded. Part of the packet bench.
import { openContainer } from '../src/audio/open-container.js';
import type { ByteSource } from '../src/audio/bytes.js';
import type { PacketCursor } from '../src/audio/container.js';
import { fixture, type Fixture, type FixtureName } from '../test/support/fixtures.js';
import { cpuMicros, garbageOf, type Garbage } from './packet-rounds.js';
import { median } from './packet-verdict.js';

export interface DemuxCost {
  readonly format: FixtureName;
  /** CPU milliseconds for a second of sound. */
  readonly msPerAudioSecond: number;
  /** Packets of the container in a second of sound. */
  readonly packetsPerSecond: number;
  readonly garbage: Garbage;
}

const FORMATS = ['oggOpus', 'webmOpus', 'mp3'] as const satisfies readonly FixtureName[];
const SECONDS = 60;
const WARM_UP = 2;
/** Packets before the garbage is looked at, and while it is. */
const OPENING = 50;
const LOOKED_AT = 100;

/** The formats take turns. */
export async function demuxCosts(rounds: number): Promise<readonly DemuxCost[]> {
  const files = FORMATS.map((name) => fixture(name, SECONDS));
  const micros = files.map((): number[] => []);
  const packets = files.map(() => 0);
  for (let n = 0; n < WARM_UP + rounds; n++) {
    for (const [index, file] of files.entries()) {
      const before = cpuMicros();
      packets[index] = await walk(file);
      if (n >= WARM_UP) micros[index]!.push(cpuMicros() - before);
    }
  }
  const costs: DemuxCost[] = [];
  for (const [index, file] of files.entries()) {
    costs.push({
      format: file.name,
      msPerAudioSecond: median(micros[index]!) / 1_000 / SECONDS,
      packetsPerSecond: packets[index]! / SECONDS,
      garbage: await garbageIn(file),
    });
  }
  return costs;
}

/** Returns how many packets there were. */
async function walk(file: Fixture): Promise<number> {
  return withCursor(file, (cursor) => read(cursor, Infinity));
}

async function garbageIn(file: Fixture): Promise<Garbage> {
  return withCursor(file, async (cursor) => {
    await read(cursor, OPENING);
    const run = async (): Promise<void> => {
      await read(cursor, LOOKED_AT);
    };
    return (await garbageOf([{ name: 'demux', run }], LOOKED_AT)).demux;
  });
}

async function withCursor<T>(file: Fixture, use: (cursor: PacketCursor) => Promise<T>): Promise<T> {
  const { bytes, extension, contentType } = file;
  const container = await openContainer(
    inMemory(bytes),
    { extension, contentType },
    new AbortController().signal,
  );
  try {
    return await use(await container.packets(0));
  } finally {
    container.close();
  }
}

async function read(cursor: PacketCursor, most: number): Promise<number> {
  let packets = 0;
  while (packets < most && (cursor.ready?.() ?? (await cursor.next())) !== null) packets++;
  return packets;
}

function inMemory(bytes: Buffer): ByteSource {
  return {
    size: bytes.length,
    seekable: true,
    read: (offset, length) =>
      Promise.resolve(offset >= bytes.length ? null : bytes.subarray(offset, offset + length)),
    close: () => undefined,
  };
}
