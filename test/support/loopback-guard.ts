// A voice guard for tests: loopback endpoints and loopback UDP addresses, nothing else. Answers without
// asking a resolver.

import { ServerError } from '../../src/shared/errors.js';
import type { VoiceGuard } from '../../src/shard/voice/voice-guard.js';

export const loopbackGuard: VoiceGuard = {
  resolve(endpoint) {
    const match = /^(127\.0\.0\.1|localhost):(\d+)$/.exec(endpoint);
    const [, host, port] = match ?? [];
    if (host === undefined || port === undefined) {
      return Promise.reject(new ServerError('PUM_VOICE_ENDPOINT', { host: endpoint }));
    }
    return Promise.resolve({ host, port: Number(port), address: '127.0.0.1', family: 4 });
  },
  udpAllowed: (_endpoint, address) => address === '127.0.0.1',
};
