// What shard and main say of a player that is heard, with what a test changes of it. For tests of the question why a
// player is silent.
import type { SilenceFacts } from '../../src/main/why-silent-facts.js';
import type {
  ConnectionInspection,
  DaveInspection,
  DecodeInspection,
  Inspection,
  QueueInspection,
  RingInspection,
  SourceInspection,
  WindowInspection,
} from '../../src/shared/inspection.js';

/** Parts that differ from those of a player that is heard. */
export interface InspectionChanges {
  readonly paused?: boolean;
  readonly noTrack?: boolean;
  readonly source?: Partial<SourceInspection>;
  readonly window?: Partial<WindowInspection>;
  readonly decode?: Partial<DecodeInspection>;
  readonly queue?: Partial<QueueInspection>;
  readonly noVoice?: boolean;
  readonly voice?: Partial<ConnectionInspection>;
  readonly dave?: Partial<DaveInspection>;
  readonly ring?: Partial<RingInspection>;
  readonly lastClose?: number;
}

export function soundInspection(changes: InspectionChanges = {}): Inspection {
  return {
    paused: changes.paused ?? false,
    track:
      changes.noTrack === true
        ? null
        : {
            source: {
              state: 'reading',
              error: null,
              seeking: false,
              packetsRead: 300,
              packetAgeMs: 40,
              ...changes.source,
            },
            window: { packets: 250, bytes: 40_000, aheadMs: 4_980, ...changes.window },
            decode: { mode: 'passthrough', error: null, anyFrame: true, ...changes.decode },
          },
    queue: { frames: 20, ending: false, starving: false, ...changes.queue },
    voice:
      changes.noVoice === true
        ? null
        : {
            driver: 'native',
            step: 'ready',
            connected: true,
            everReady: true,
            lastClose: null,
            dave: {
              version: 1,
              frames: 'sealed',
              group: 'ready',
              others: 1,
              waitedMs: null,
              ...changes.dave,
            },
            speaking: true,
            ring: {
              open: true,
              queued: 19,
              waiting: 0,
              room: 0,
              head: 100,
              underruns: 0,
              sentAgeMs: 7,
              ...changes.ring,
            },
            ...changes.voice,
          },
    lastClose: changes.lastClose ?? null,
  };
}

/** All that is known of a player that is heard; a group of facts may be changed in part. */
export function soundFacts(
  changes: {
    readonly [Group in 'player' | 'shard' | 'voice' | 'sender']?: Partial<SilenceFacts[Group]>;
  } & { readonly inside?: Inspection | null } = {},
): SilenceFacts {
  return {
    player: {
      track: true,
      coming: false,
      paused: false,
      volume: 100,
      filterVolume: 1,
      positionMs: 1_000,
      endTimeMs: null,
      lastEnd: null,
      ...changes.player,
    },
    shard: { index: 0, up: true, lost: false, restarts: 0, pulseAgeMs: 0, failure: null, ...changes.shard },
    voice: { given: true, pingMs: 12, ...changes.voice },
    sender: { threads: 1, restarts: 0, sent: 100, emptied: 0, socketFull: 0, ...changes.sender },
    inside: changes.inside === undefined ? soundInspection() : changes.inside,
  };
}
