// The rows of the tuning guide outside `server.*` (settings-and-metrics.md §3.1 and §3.2). They stand under
// `pumice.`; the guide's `rust.` is understood for every one of them (§1.4). Data only, read in every thread.
import { choice, duration, flag, integer, integerOr, size } from './config-row.js';
import { DISPATCH } from './limits.js';

const CACHE = 'no effect yet: loads are not cached';
const SOCKET = 'no effect yet: the system settings of sockets are left alone';
const IN_ORDER =
  'no effect: libuv and the microtask queue are always first in, first out; there is no slot to disable';
const LOOP = { only: false, reason: 'refused: Node cannot run without its poller and timers' } as const;

const MIB = 1024 * 1024;

export const TUNING_KEYS = {
  'pumice.cache.trackCacheSize': integer(
    1_000,
    { min: 0, max: 1_000_000 },
    {
      takesEffect: 'live',
      aliases: ['pumice.memory.trackCacheSize'],
      status: CACHE,
      doc: 'Entries of the cache of loads; 0 switches it off.',
    },
  ),
  'pumice.cache.trackCacheEnabled': flag(true, {
    takesEffect: 'live',
    status: CACHE,
    doc: 'Whether loads are cached.',
  }),
  'pumice.cache.trackCacheTtl': duration(
    's',
    3_600_000,
    { min: 0, max: 30 * 86_400_000 },
    {
      takesEffect: 'live',
      status: CACHE,
      doc: "Age limit of a cached load; the source's own expiry where that is lower.",
    },
  ),
  'pumice.memory.playerBufferSize': size(
    4_096,
    { min: 1_024, max: 16 * MIB },
    {
      takesEffect: 'new',
      status: 'no effect yet: readers choose their own step',
      doc: 'Step in which a player asks its source for bytes, and its staging size at rest.',
    },
  ),
  'pumice.memory.connectionPoolSize': integer(
    100,
    { min: 1, max: 65_535 },
    {
      takesEffect: 'live',
      status: 'no effect yet: look-ups are bounded by the loader pool',
      doc: 'Look-up sockets at one time, and idle ones kept; running media streams are not counted.',
    },
  ),
  'pumice.memory.gcInterval': duration(
    's',
    300_000,
    { min: 1_000, max: 86_400_000 },
    {
      takesEffect: 'live',
      status: 'no effect yet: there is nothing to sweep',
      doc: "Period of the sweep of caches, sockets and orphans. It never calls V8's collector.",
    },
  ),
  'pumice.memory.maxIdleTime': duration(
    's',
    1_800_000,
    { min: 1_000, max: 30 * 86_400_000 },
    {
      takesEffect: 'live',
      status: 'no effect yet: there is nothing to sweep',
      doc: 'Idle age at which a cache entry, a socket or a player without a session is dropped; never a player in a call.',
    },
  ),
  'pumice.limits.maxPlayersPerSession': integer(
    0,
    { min: 0, max: 1_000_000 },
    { takesEffect: 'live', doc: 'Players of one session; one more is answered 429. 0 for no limit.' },
  ),
  'pumice.limits.maxTotalPlayers': integer(
    0,
    { min: 0, max: 1_000_000 },
    { takesEffect: 'live', doc: 'Players of this node; one more is answered 503. 0 for no limit.' },
  ),

  'pumice.performance.workerThreads': integer(
    0,
    { min: 0, max: 256 },
    {
      takesEffect: 'restart',
      aliases: ['pumice.tokio.workerThreads'],
      doc: 'Audio shards; 0 takes one per core that this process may use.',
      shipped: 0,
    },
  ),
  'pumice.performance.senderThreads': integerOr(
    'off',
    0,
    { min: 0, max: 64 },
    {
      takesEffect: 'restart',
      status: 'limited: with the discordjs voice driver the shards send',
      doc: 'Threads that send; 0 for one per 1,000 players, at most as many as shards; off to send from the shards.',
    },
  ),
  'pumice.performance.blockingThreads': integer(
    8,
    { min: 1, max: 1_024 },
    {
      takesEffect: 'restart',
      aliases: ['pumice.tokio.maxBlockingThreads'],
      doc: "Threads of libuv's pool, for name look-ups, files and compression.",
    },
  ),
  'pumice.performance.threadStackSize': size(
    2 * MIB,
    { min: MIB, max: 64 * MIB },
    { takesEffect: 'restart', doc: 'Stack of each shard.' },
  ),
  'pumice.performance.taskQueueSize': integer(
    DISPATCH.maxInFlightPerShard,
    { min: 1, max: 1_000_000 },
    {
      takesEffect: 'live',
      doc: 'Commands of one shard that wait for their answer; one more is answered 503.',
    },
  ),
  'pumice.performance.priorityScheduling': flag(true, {
    takesEffect: 'restart',
    status: 'limited: threads have their priorities, commands have no lanes yet',
    doc: 'Whether senders go before shards, shards before the main thread, and all before loaders.',
  }),
  'pumice.tokio.flavor': choice(['multi_thread', 'current_thread'], 'multi_thread', {
    takesEffect: 'restart',
    doc: 'current_thread means exactly one shard and no scaling.',
  }),
  'pumice.tokio.globalQueueInterval': integer(
    DISPATCH.commandsPerTurn,
    { min: 1, max: 1_000_000 },
    {
      takesEffect: 'live',
      doc: 'Commands a shard takes before it looks at the frame deadlines again.',
    },
  ),
  'pumice.tokio.ioDriverEnabled': flag(true, {
    takesEffect: 'restart',
    refuse: LOOP,
    doc: 'Always true; false fails start-up.',
  }),
  'pumice.tokio.timeDriverEnabled': flag(true, {
    takesEffect: 'restart',
    refuse: LOOP,
    doc: 'Always true; false fails start-up.',
  }),
  'pumice.tokio.disableLifoSlot': flag(false, {
    takesEffect: 'restart',
    status: IN_ORDER,
    doc: 'A setting of another runtime.',
  }),

  'pumice.network.tcpNodelay': flag(true, {
    takesEffect: 'restart',
    status:
      'no effect: sockets of clients always have it; outgoing sockets keep the setting of their library',
    only: false,
    doc: 'Whether small packets are sent at once.',
  }),
  'pumice.network.tcpKeepalive': flag(true, {
    takesEffect: 'restart',
    status:
      'no effect: sockets of clients never have it, WebSocket pings do that work; outgoing sockets keep the setting of their library',
    doc: 'Keep-alive probes on outgoing sockets.',
  }),
  'pumice.network.socketReuse': flag(true, {
    takesEffect: 'restart',
    status: SOCKET,
    doc: 'Whether a new process may take the port over before the old one has drained.',
  }),
  'pumice.network.sendBufferSize': size(
    65_536,
    { min: 0, max: 1024 * MIB },
    {
      takesEffect: 'restart',
      status: SOCKET,
      doc: 'Send buffer of voice sockets; 0 for automatic.',
    },
  ),
  'pumice.network.recvBufferSize': size(
    65_536,
    { min: 0, max: 1024 * MIB },
    {
      takesEffect: 'restart',
      status: SOCKET,
      doc: 'Receive buffer of voice sockets; 0 for automatic.',
    },
  ),
} as const;
