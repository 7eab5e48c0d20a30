// GET …/quality and …/why-silent of a player (docs/diagnosis.md): ours alone, so under /pumice/v1, and told only to who
// knows the password and the session. Main thread.
import { ServerError } from '../../../shared/errors.js';
import type { Player } from '../../player.js';
import { qualityJson } from '../../quality-json.js';
import { whySilent } from '../../why-silent.js';
import { silenceFacts } from '../../why-silent-question.js';
import type { Reply } from '../engine.js';
import { guildId } from '../path-values.js';
import { json } from '../reply.js';
import type { RouteCall } from '../routes.js';

export function getQuality(call: RouteCall): Reply {
  return json(qualityJson(playerOf(call).quality));
}

export async function getWhySilent(call: RouteCall): Promise<Reply> {
  const player = playerOf(call);
  const facts = await silenceFacts(call.node, player);
  // Removed meanwhile, and its place may be somebody else's by now.
  if (playerOf(call) !== player) throw new ServerError('PUM_PLAYER_NOT_FOUND');
  return json(whySilent(facts));
}

function playerOf({ params, sessions }: RouteCall): Player {
  const guild = guildId(params['guild'] ?? '');
  const player = sessions.find(params['session'] ?? '').players.get(guild);
  if (player === null) throw new ServerError('PUM_PLAYER_NOT_FOUND');
  return player;
}
