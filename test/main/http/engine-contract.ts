// The contract that every HTTP engine is held to (src/main/http/engine.ts): called by engine-uws.test.ts and
// by the test of each further engine with its factory and what its library cannot do.
import type { Test } from 'tap';

import type { EngineFactory } from '../../../src/main/http/engine.js';
import type { EngineTraits } from './engine-bench.js';
import { requestContract } from './request-contract.js';
import { ceilingContract } from './ceiling-contract.js';
import { socketContract } from './socket-contract.js';
import { listenContract } from './listen-contract.js';

export async function engineContract(t: Test, factory: EngineFactory, traits: EngineTraits): Promise<void> {
  await listenContract(t, factory);
  await requestContract(t, factory, traits);
  await ceilingContract(t, factory, traits);
  await socketContract(t, factory, traits);
}
