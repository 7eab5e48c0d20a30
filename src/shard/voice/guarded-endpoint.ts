// The guard as the voice drivers see it: the endpoint a client named, and the UDP address its gateway
// names in turn, pass the same checks as media URLs (decisions: Discord hosts).
import { VOICE } from '../../shared/limits.js';
import type { Guard, VoiceTarget } from '../source/guard.js';
import type { VoiceGuard } from './voice-guard.js';

/** Endpoints whose dialled address is remembered: a shard may connect all its players at once, each to its own. */
const MAX_REMEMBERED = 2 * VOICE.maxNativeConnections;

export function voiceGuard(guard: Guard, patterns: readonly string[]): VoiceGuard {
  const dialled = new Map<string, VoiceTarget>();
  return {
    async resolve(endpoint, signal) {
      const target = await guard.voiceEndpoint(endpoint, patterns, signal);
      dialled.delete(endpoint);
      dialled.set(endpoint, target);
      for (const oldest of dialled.keys()) {
        if (dialled.size <= MAX_REMEMBERED) break;
        dialled.delete(oldest);
      }
      return target;
    },
    udpAllowed(endpoint, address) {
      const target = dialled.get(endpoint);
      if (!target) return false;
      try {
        guard.checkDatagram(address, target);
        return true;
      } catch {
        return false;
      }
    },
  };
}
