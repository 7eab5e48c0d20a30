// What is in a file of heard sound: reads the Ogg container and decodes every packet with libopus, as a player
// of the file would. Called by the demo; throws when the file cannot be played to its end.
import { readFile } from 'node:fs/promises';
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny';
import { decodeFrames } from '../test/support/measure.js';

export interface Heard {
  readonly packets: number;
  /** Of the decoded sound. */
  readonly seconds: number;
  /** Root mean square over both channels, in dB of full scale; -Infinity for silence. */
  readonly loudnessDb: number;
}

export async function heardIn(path: string): Promise<Heard> {
  const input = new Input({ source: new BufferSource(await readFile(path)), formats: ALL_FORMATS });
  const track = await input.getPrimaryAudioTrack();
  if (track === null) throw new Error(`${path} holds no sound`);
  const packets: Uint8Array[] = [];
  for await (const { data } of new EncodedPacketSink(track).packets()) packets.push(data);
  const { rate, channels } = decodeFrames(packets);
  const length = channels[0]?.length ?? 0;
  let power = 0;
  for (const channel of channels) for (const sample of channel) power += sample * sample;
  return {
    packets: packets.length,
    seconds: length / rate,
    loudnessDb: 10 * Math.log10(power / (length * channels.length)),
  };
}
