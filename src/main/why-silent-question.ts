// Asks a shard what it knows of a player, puts main's own knowledge beside it, and has the two judged. A shard that does
// not answer is part of the answer. Called by the handler on the main thread; it changes nothing.
import { PlayerWord } from '../shared/counter-words.js';
import { ServerError, type ErrorCode } from '../shared/errors.js';
import type { Inspection } from '../shared/inspection.js';
import { DIAGNOSIS } from '../shared/limits.js';
import type { FilterMap } from '../shared/shard-commands.js';
import type { Node } from './node.js';
import type { Player } from './player.js';
import type { SilenceFacts } from './why-silent-facts.js';

interface Said {
  readonly inside: Inspection | null;
  readonly failure: ErrorCode | null;
}

/** One question a player at a time: whoever asks meanwhile hears the same answer. */
const asked = new WeakMap<Player, Promise<Said>>();

/** Never rejects; resolves within DIAGNOSIS.inspectDeadline. */
export async function silenceFacts(node: Node, player: Player): Promise<SilenceFacts> {
  let said = asked.get(player);
  if (said === undefined) {
    said = ask(node, player).finally(() => asked.delete(player));
    asked.set(player, said);
  }
  const { inside, failure } = await said;
  // Behind the answer, for events that came before it are in the record by now.
  const { fleet } = node;
  const { placement } = player;
  const { shard } = placement;
  const senders = fleet.senders();
  return {
    player: {
      track: player.current !== null,
      coming: player.latest !== null && player.latest !== player.current,
      paused: player.paused,
      volume: player.volume,
      filterVolume: volumeOf(player.filters),
      positionMs: player.positionMs,
      endTimeMs: player.current?.endTimeMs ?? null,
      lastEnd: player.quality.past.at(-1)?.reason ?? null,
    },
    shard: {
      index: shard,
      up: fleet.isUp(shard),
      lost: player.lost,
      restarts: fleet.reports()[shard]?.restarts ?? 0,
      pulseAgeMs: fleet.pulseAge(shard),
      failure,
    },
    voice: { given: player.askedVoice !== null || player.voice !== null, pingMs: player.ping },
    sender: {
      threads: senders.length,
      restarts: senders.reduce((sum, { restarts }) => sum + restarts, 0),
      sent: fleet.word(placement, PlayerWord.sent),
      emptied: fleet.word(placement, PlayerWord.emptied),
      socketFull: fleet.word(placement, PlayerWord.nulledSocket),
    },
    inside,
  };
}

async function ask({ fleet }: Node, player: Player): Promise<Said> {
  const question = { op: 'inspect', body: {} } as const;
  try {
    const answer = await fleet.command(player.id, player.placement, question, DIAGNOSIS.inspectDeadline);
    return { inside: answer as Inspection, failure: null };
  } catch (thrown) {
    return { inside: null, failure: ServerError.from(thrown, 'PUM_SHARD_GONE').code };
  }
}

function volumeOf(filters: FilterMap): number {
  const { volume } = filters as { volume?: unknown };
  return typeof volume === 'number' ? volume : 1;
}
