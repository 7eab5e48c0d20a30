// The links of the chain that ends in a datagram, in order: what is known of each, and when it is the one at which the
// sound stops. Each is asked only when all before it hold, so it need not mind what they would do to it. Pure; used by
// why-silent.ts on the main thread.
import type { ErrorCode } from '../shared/errors.js';
import type { ConnectionInspection, Inspection, TrackInspection } from '../shared/inspection.js';
import { DIAGNOSIS } from '../shared/limits.js';
import type { SilenceFacts } from './why-silent-facts.js';

export type LinkName =
  | 'player'
  | 'shard'
  | 'source'
  | 'window'
  | 'decode'
  | 'queue'
  | 'voice'
  | 'dave'
  | 'speaking'
  | 'ring'
  | 'sender';

export interface Link {
  readonly name: LinkName;
  /** What the answer says of it: plain values. */
  readonly known: (facts: SilenceFacts) => Readonly<Record<string, unknown>>;
  /** Why the sound stops here, as one sentence; null when it does not. */
  readonly fault: (facts: SilenceFacts) => string | null;
}

/** With less than this in its window, milliseconds, a player may well find nothing to make a frame of. */
const SCANT_MS = 200;

/** A link that only the shard knows of. */
function inside(
  name: LinkName,
  known: (inspection: Inspection, facts: SilenceFacts) => object | null | undefined,
  fault: (inspection: Inspection, facts: SilenceFacts) => string | null,
): Link {
  return {
    name,
    known: (facts) => ({ ...(facts.inside === null ? {} : known(facts.inside, facts)) }),
    fault: (facts) => (facts.inside === null ? null : fault(facts.inside, facts)),
  };
}

export const LINKS: readonly Link[] = [
  { name: 'player', known: ({ player }) => player, fault: playerFault },
  { name: 'shard', known: ({ shard }) => shard, fault: shardFault },
  inside('source', ({ track }) => track?.source, sourceFault),
  inside('window', ({ track }) => track?.window, windowFault),
  inside('decode', ({ track }) => track?.decode, decodeFault),
  inside('queue', ({ queue }) => queue, queueFault),
  inside('voice', voiceKnown, voiceFault),
  inside('dave', ({ voice }) => voice?.dave, daveFault),
  inside('speaking', ({ voice }) => ({ told: voice?.speaking ?? null }), speakingFault),
  inside('ring', ({ voice }) => ringKnown(voice), ringFault),
  inside('sender', senderKnown, senderFault),
];

function playerFault({ player, inside: known }: SilenceFacts): string | null {
  if (!player.track && player.coming) return 'No track is loaded yet, one is on its way to the shard.';
  if (!player.track && player.lastEnd === null) return 'No track is loaded.';
  if (!player.track) return `No track is loaded, and the one before has ended (${String(player.lastEnd)}).`;
  if (player.paused || known?.paused === true) return 'The player is paused.';
  if (player.volume === 0) return 'The volume of the player is 0.';
  if (player.filterVolume === 0) return 'The volume filter makes everything silent.';
  if (known !== null && known.track === null) return 'The track is over, and its end is about to be told.';
  return null;
}

function shardFault({ shard, inside: known }: SilenceFacts): string | null {
  if (!shard.up) return 'The thread that has the player has ended, and its replacement does not answer yet.';
  if (shard.lost) return 'The thread that had the player has ended, and the player is being taken over.';
  if (known !== null) return null;
  return silenceOfShard(shard.failure);
}

function silenceOfShard(failure: ErrorCode | null): string {
  switch (failure) {
    case 'PUM_COMMAND_DEADLINE':
      return `The thread that has the player has not answered within ${ms(DIAGNOSIS.inspectDeadline)}.`;
    case 'PUM_SHARD_BUSY':
      return 'The thread that has the player is behind with its commands and takes no more.';
    case 'PUM_COMMAND_STALE':
      return 'The thread that should have the player does not know it.';
    case 'PUM_SHARD_GONE':
      return 'The thread that has the player has ended before it answered.';
    default:
      return `The thread that has the player has failed to answer (${String(failure)}).`;
  }
}

/** Nothing is queued, and there is nothing to make a frame of. */
function isHungry({ queue, voice }: Inspection, { window }: TrackInspection): boolean {
  if (queue.frames > 0) return false;
  const ahead = window.aheadMs ?? 0;
  return ahead <= 0 || (queue.starving && voice?.connected === true && ahead < SCANT_MS);
}

function sourceFault(inspection: Inspection): string | null {
  const { track } = inspection;
  if (track === null || !isHungry(inspection, track)) return null;
  const { state, error, packetAgeMs, seeking } = track.source;
  switch (state) {
    case 'opening':
      return 'The source is being opened and has brought nothing yet.';
    case 'failed':
    case 'closed':
      return `The source has failed (${error ?? 'it is closed'}).`;
    case 'reading':
      if (packetAgeMs === null) {
        return seeking
          ? 'The source has brought nothing since the seek.'
          : 'The source is open and has brought nothing yet.';
      }
      if (packetAgeMs < DIAGNOSIS.silentAfter) return null;
      return `The source has brought nothing for ${ms(packetAgeMs)}.`;
    case 'ended':
    case 'parked':
      return null;
  }
}

function windowFault(inspection: Inspection): string | null {
  const { track } = inspection;
  if (track?.source.state !== 'reading' || !isHungry(inspection, track)) return null;
  return 'The source brings packets, but more slowly than they are played, or none yet of the moment that is next.';
}

function decodeFault({ track, queue, voice }: Inspection): string | null {
  if (track === null || queue.frames > 0) return null;
  const { mode, error } = track.decode;
  if (error !== null) return `No frame can be made of the packets (${error}).`;
  // Frames are made when they can leave, and where the source has come to its end there may be none.
  const expected = voice?.connected === true && track.source.state === 'reading';
  return expected && mode === null ? 'Packets are there, but no frame has been made of them yet.' : null;
}

function queueFault({ queue, voice }: Inspection): string | null {
  if (queue.frames > 0 || voice?.connected !== true || leaves(voice)) return null;
  if (queue.ending) return 'The track has come to its end, and its last frame has left.';
  return 'No frame is queued, although the source is ahead: the thread is behind with its work.';
}

function voiceKnown({ voice, lastClose }: Inspection, facts: SilenceFacts): object {
  const { given, pingMs } = facts.voice;
  if (voice === null) return { given, step: null, connected: false, lastClose };
  const { driver, step, connected, everReady } = voice;
  return { given, driver, step, connected, everReady, pingMs, lastClose: voice.lastClose ?? lastClose };
}

function voiceFault({ voice, lastClose }: Inspection, facts: SilenceFacts): string | null {
  if (voice === null && !facts.voice.given) return 'The client has given no voice data.';
  if (voice === null && lastClose !== null) {
    return `The voice connection ended with ${String(lastClose)}: the client has to give its voice data again.`;
  }
  if (voice === null) return 'There is no voice connection: the client has to give its voice data again.';
  return voice.connected ? null : stepFault(voice);
}

function stepFault({ step, lastClose }: ConnectionInspection): string {
  switch (step) {
    case 'waiting':
      return lastClose === null
        ? 'The voice connection is about to be tried again.'
        : `The voice gateway closed the connection with ${String(lastClose)}, and it is about to be tried again.`;
    case 'dialling':
      return 'The voice gateway is being connected to and has not accepted yet.';
    case 'greeting':
      return 'The voice gateway has not answered the introduction of the bot.';
    case 'discovering':
      return 'The voice server has not answered over UDP, so our address is not known.';
    case 'selecting':
      return 'The voice gateway has not sent the key of the session.';
    case 'identifying':
    case 'resuming':
    case 'ready':
      return 'The voice connection is not ready yet.';
    case 'over':
      return 'The voice connection is over.';
  }
}

function daveFault({ voice }: Inspection): string | null {
  const dave = voice?.dave ?? null;
  if (dave === null || (dave.frames !== 'hold' && dave.frames !== 'withheld')) return null;
  const frames = dave.frames === 'hold' ? 'frames wait for it' : 'frames are given up';
  return `The encryption group (DAVE) of the call, with ${String(dave.others)} others in it, is not ready: ${frames}.`;
}

function speakingFault({ queue, voice }: Inspection): string | null {
  if (voice?.speaking !== false || queue.frames === 0 || !leaves(voice)) return null;
  return 'Datagrams leave, but the voice gateway was told last that nobody speaks.';
}

function ringKnown(voice: ConnectionInspection | null): object {
  const ring = voice?.ring ?? null;
  if (ring === null) return {};
  const { open, queued, waiting, room, head, underruns } = ring;
  return { open, queued, waiting, room, head, underruns };
}

function ringFault({ voice }: Inspection): string | null {
  const ring = voice?.ring ?? null;
  if (ring === null) return 'There is no send ring.';
  if (!ring.open) return 'The send ring is closed.';
  if (ring.queued > 0 || leaves(voice)) return null;
  return ring.waiting > 0
    ? `${String(ring.waiting)} frames wait, but none can be sealed into the send ring.`
    : 'The send ring is empty.';
}

function senderKnown({ voice }: Inspection, { sender }: SilenceFacts): object {
  return {
    ...sender,
    addressKnown: voice?.connected ?? false,
    lastDatagramAgeMs: voice?.ring?.sentAgeMs ?? null,
  };
}

function senderFault({ voice }: Inspection): string | null {
  const ring = voice?.ring ?? null;
  if (ring === null || leaves(voice)) return null;
  const packets = `${String(ring.queued)} packets lie in the send ring`;
  return ring.sentAgeMs === null
    ? `${packets}, and none has left yet.`
    : `${packets}, and none has left for ${ms(ring.sentAgeMs)}.`;
}

/** A datagram has left lately. */
function leaves(voice: ConnectionInspection | null): boolean {
  const age = voice?.ring?.sentAgeMs ?? null;
  return age !== null && age < DIAGNOSIS.silentAfter;
}

function ms(duration: number): string {
  return `${duration.toLocaleString('en-GB')} ms`;
}
