// Playing for the audio tests: a container through a pipeline to Opus frames, as a producer does it.
import type { ByteSource } from '../../src/audio/bytes.js';
import type { Container } from '../../src/audio/container.js';
import { openContainer } from '../../src/audio/open-container.js';
import type { Packet } from '../../src/audio/packet.js';
import type { PipelineSettings } from '../../src/audio/pipeline.js';
import { Pipeline, runUpSeconds } from '../../src/audio/pipeline.js';
import { NO_HINT } from './memory-bytes.js';

export const SETTINGS: PipelineSettings = {
  volume: 100,
  filters: {},
  complexity: 10,
  bitrate: 192_000,
  resampling: 'HIGH',
};

export interface Played {
  readonly frames: Uint8Array[];
  /** Source time of each frame in seconds. */
  readonly times: number[];
  /** Packets that were concealed. */
  readonly bad: number;
}

export function open(bytes: ByteSource, signal = new AbortController().signal): Promise<Container> {
  return openContainer(bytes, NO_HINT, signal);
}

export async function packetsOf(container: Container, from = 0): Promise<Packet[]> {
  const cursor = await container.packets(from);
  const packets: Packet[] = [];
  for (let packet = await cursor.next(); packet !== null; packet = await cursor.next()) {
    packets.push({ ...packet, data: packet.data.slice() });
  }
  return packets;
}

export async function play(
  container: Container,
  at = 0,
  settings: Partial<PipelineSettings> = {},
): Promise<Played> {
  const packets = await packetsOf(container, at - runUpSeconds(container.info.format));
  return run(container, packets, at, settings);
}

export function run(
  container: Pick<Container, 'info'>,
  packets: readonly Packet[],
  at = 0,
  settings: Partial<PipelineSettings> = {},
): Played {
  const pipeline = new Pipeline(container.info.format, { ...SETTINGS, ...settings }, at);
  const out = new Uint8Array(1_275);
  const played: { frames: Uint8Array[]; times: number[]; bad: number } = { frames: [], times: [], bad: 0 };
  const drain = (): void => {
    for (;;) {
      const time = pipeline.frameTime;
      const length = pipeline.frame(out);
      if (length === 0) return;
      played.frames.push(out.slice(0, length));
      played.times.push(time);
    }
  };
  for (const packet of packets) {
    played.bad += pipeline.push(packet);
    drain();
  }
  pipeline.finish();
  drain();
  pipeline.close();
  return played;
}
