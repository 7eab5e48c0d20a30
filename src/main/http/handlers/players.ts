// The players of a session over REST (lavalink-v4.md §1.2, §1.4). Body and guild id are read before the
// session is looked for, so that a malformed request is 400 whatever the session. Main thread.
import { ServerError } from '../../../shared/errors.js';
import { enabledFilters } from '../../filters.js';
import type { Node } from '../../node.js';
import { playerJson } from '../../player-json.js';
import { patchPlayer } from '../../player-patch.js';
import type { Player } from '../../player.js';
import { jsonBody } from '../body.js';
import type { Reply } from '../engine.js';
import { guildId, querySwitch } from '../path-values.js';
import { checkPlayerUpdate, parsePlayerUpdate, type UpdateRules } from '../player-update.js';
import { empty, json } from '../reply.js';
import type { RouteCall } from '../routes.js';

export function listPlayers({ node, params, sessions }: RouteCall): Reply {
  const session = sessions.find(params['session'] ?? '');
  const time = node.clock.wall();
  return json([...session.players.all()].map((player) => playerJson(player, time)));
}

export function getPlayer({ node, params, sessions }: RouteCall): Reply {
  const guild = guildId(params['guild'] ?? '');
  const player = sessions.find(params['session'] ?? '').players.get(guild);
  if (player === null) throw new ServerError('PUM_PLAYER_NOT_FOUND');
  return answer(node, player);
}

export async function patchPlayerRoute(call: RouteCall): Promise<Reply> {
  const { node, params, query, request, sessions } = call;
  const update = parsePlayerUpdate(jsonBody(request));
  const guild = guildId(params['guild'] ?? '');
  const noReplace = querySwitch(query, 'noReplace');
  const session = sessions.find(params['session'] ?? '');
  const change = checkPlayerUpdate(update, rulesOf(node));
  node.drain.admit();
  const player = await session.command(() => {
    return patchPlayer(node, session, { guild, change, noReplace, signal: request.signal });
  });
  return answer(node, player);
}

export async function deletePlayer({ params, sessions }: RouteCall): Promise<Reply> {
  const guild = guildId(params['guild'] ?? '');
  const session = sessions.find(params['session'] ?? '');
  await session.command(() => session.players.remove(guild));
  return empty(204);
}

function answer(node: Node, player: Player): Reply {
  return json(playerJson(player, node.clock.wall()));
}

function rulesOf(node: Node): UpdateRules {
  const { settings } = node;
  return {
    enabledFilters: enabledFilters((name) => settings.filterSwitches[name]),
    pluginFiltersOff: settings.pluginFiltersOff,
    voiceEndpoints: settings.voiceEndpoints,
  };
}
