// Files that operators already have must start as they are: every key of Lavalink's own example (lavalink-v4.md
// §5.2) and every block of the tuning guide (settings-and-metrics.md §1.4, §3).
import t from 'tap';
import { refused, started } from '../../support/load-config.js';

const LIMIT = { timeout: 10_000 };

const STOCK = `
server: # REST and WebSocket
  port: 2333
  address: 0.0.0.0
  http2:
    enabled: false
plugins:
#  name: # a plugin
#    some_key: some_value
  youtube:
    enabled: true
    allowSearch: true
    clients: [MUSIC, ANDROID_VR]
  lavasrc:
    providers: ['ytsearch:"%ISRC%"', 'ytsearch:%QUERY%']
    sources: {spotify: false}
lavalink:
  plugins:
    - dependency: "dev.lavalink.youtube:youtube-plugin:1.13.5"
      snapshot: false
    - dependency: "com.github.example:example-plugin:1.0.0"
      repository: "https://maven.example.com/releases"
  pluginsDir: "./plugins"
  defaultPluginRepository: "https://maven.example.com/releases"
  defaultPluginSnapshotRepository: "https://maven.example.com/snapshots"
  server:
    password: "youshallnotpass"
    sources:
      youtube: false
      bandcamp: true
      soundcloud: true
      twitch: true
      vimeo: true
      nico: true
      http: true
      local: false
    filters:
      volume: true
      equalizer: true
      karaoke: true
      timescale: true
      tremolo: true
      vibrato: true
      distortion: true
      rotation: true
      channelMix: true
      lowPass: true
    nonAllocatingFrameBuffer: false
    bufferDurationMs: 400
    frameBufferDurationMs: 5000
    opusEncodingQuality: 10
    resamplingQuality: LOW
    trackStuckThresholdMs: 10000
    useSeekGhosting: true
    youtubePlaylistLoadLimit: 6
    playerUpdateInterval: 5
    youtubeSearchEnabled: true
    soundcloudSearchEnabled: true
    soundcloudFilterOutPreviewTracks: false
    gc-warnings: true
    ratelimit:
      ipBlocks: ["1.0.0.0/8", "10.0.0.0/16"]
      excludedIps: ["1.2.3.4"]
      strategy: "RotateOnBan"
      searchTriggersFail: true
      retryLimit: -1
    youtubeConfig:
      email: ""
      password: ""
    httpConfig:
      proxyHost: "localhost"
      proxyPort: 3128
      proxyUser: ""
      proxyPassword: ""
    timeouts:
      connectTimeoutMs: 3000
      connectionRequestTimeoutMs: 3000
      socketTimeoutMs: 3000
metrics:
  prometheus:
    enabled: false
    endpoint: /metrics
sentry:
  dsn: ""
  environment: ""
#  tags:
#    some_key: some_value
logging:
  file:
    path: ./logs/
  level:
    root: INFO
    lavalink: INFO
    lavalink.server.io.SocketContext: TRACE
    com.sedmelluq.discord.lavaplayer: WARN
  request:
    enabled: true
    includeClientInfo: true
    includeHeaders: false
    includeQueryString: true
    includePayload: true
    maxPayloadLength: 10000
    beforeRequest: false
  logback:
    rollingpolicy:
      max-file-size: 1GB
      max-history: 30
`;

t.test('a stock Lavalink file starts as it is', LIMIT, async (t) => {
  const { values, notices } = started(t, { files: { 'application.yml': STOCK }, password: null });
  t.match(values, {
    'lavalink.server.password': 'youshallnotpass',
    'server.port': 2333,
    'lavalink.server.bufferDurationMs': 400,
    'lavalink.server.playerUpdateInterval': 5_000,
    'lavalink.server.ratelimit.ipBlocks': ['1.0.0.0/8', '10.0.0.0/16'],
    'logging.logback.rollingpolicy.max-file-size': 1024 ** 3,
    'logging.logback.rollingpolicy.max-history': 30,
    'metrics.prometheus.endpoint': '/metrics',
    'sentry.dsn': null,
  });
  t.strictSame(
    notices.filter((notice) => notice.kind === 'adjusted' || notice.kind === 'alias'),
    [],
  );
});

t.test('the file of an older Lavalink, with its log keys, starts as well', LIMIT, async (t) => {
  const text = 'logging:\n  file:\n    max-history: 30\n    max-size: 1GB\n  path: ./logs/\n';
  const { values } = started(t, { files: { 'application.yml': text.replace('  path', '    path') } });
  t.equal(values['logging.logback.rollingpolicy.max-file-size'], 1024 ** 3);
});

/** The guide's blocks: for each, the section it begins with and its lines. */
const GUIDE: readonly (readonly [section: string, text: string])[] = [
  [
    'rust',
    '  memory: {track_cache_size: 1000, player_buffer_size: 4096, connection_pool_size: 100, gc_interval: 300, max_idle_time: 1800}',
  ],
  [
    'lavalink',
    '  server:\n    buffer_duration_ms: 400\n    frame_buffer_duration_ms: 5000\n    track_stuck_threshold_ms: 10000\n    sources: {youtube: true, soundcloud: true, http: true, local: false}\n    filters: {volume: true, equalizer: true, karaoke: false, timescale: false}',
  ],
  ['rust', '  limits: {max_players_per_session: 10, max_total_players: 100}'],
  ['rust', '  cache: {track_cache_enabled: true, track_cache_size: 1000, track_cache_ttl: 3600}'],
  [
    'rust',
    '  performance: {worker_threads: 0, blocking_threads: 512, thread_stack_size: 2097152, task_queue_size: 1024, priority_scheduling: true}',
  ],
  [
    'server',
    '  http: {max_connections: 2000, connection_timeout: 30s, keep_alive_timeout: 60s, request_timeout: 120s}\n  websocket: {max_frame_size: 65536, ping_interval: 30s, pong_timeout: 10s}',
  ],
  [
    'rust',
    '  network: {tcp_nodelay: true, tcp_keepalive: true, socket_reuse: true, send_buffer_size: 65536, recv_buffer_size: 65536}',
  ],
  [
    'rust',
    '  tokio: {flavor: "multi_thread", worker_threads: 0, max_blocking_threads: 512, io_driver_enabled: true, time_driver_enabled: true, disable_lifo_slot: false, global_queue_interval: 31}',
  ],
  ['metrics', '  prometheus: {enabled: true, endpoint: "/metrics", port: 9090}'],
  [
    'rust',
    '  metrics: {track_performance_metrics: true, memory_usage_metrics: true, network_metrics: true, collection_interval: 30}',
  ],
];

t.test('all main blocks of the tuning guide, merged into one tree, start', LIMIT, async (t) => {
  const merged = new Map<string, string>();
  for (const [section, text] of GUIDE)
    merged.set(section, `${merged.get(section) ?? `${section}:`}\n${text}`);
  const { values } = started(t, {
    files: { 'application.yml': [...merged.values()].join('\n') },
    env: { RUST_LOG: 'info', RUST_BACKTRACE: '0', MALLOC_ARENA_MAX: '2' },
  });
  t.match(values, {
    'pumice.cache.trackCacheSize': 1_000,
    'pumice.performance.blockingThreads': 512,
    'server.http.requestTimeout': 120_000,
    'server.websocket.maxFrameSize': 65_536,
    'pumice.metrics.collectionInterval': 30_000,
    'metrics.prometheus.port': 9_090,
  });
});

t.test(
  'the same blocks pasted one after another repeat a section and fail with line numbers',
  LIMIT,
  async (t) => {
    const text = GUIDE.map(([section, block]) => `${section}:\n${block}`).join('\n');
    const lines = refused(t, { files: { 'application.yml': text } });
    const first = text.split('\n').indexOf('rust:') + 1;
    t.equal(lines.length, 6, 'one line for each repetition');
    for (const line of lines) {
      const found = /^application\.yml:(\d+):1 rust: given twice, at line (\d+) and line (\d+)$/.exec(line);
      t.ok(found, line);
      t.equal(Number(found?.[2]), first);
      t.equal(found?.[1], found?.[3]);
      t.equal(text.split('\n')[Number(found?.[1]) - 1], 'rust:');
    }
  },
);
