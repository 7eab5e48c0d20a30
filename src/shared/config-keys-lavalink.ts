// The `lavalink.*` and `plugins` rows of the configuration table (settings-and-metrics.md §2.2 and §2.3). Data
// only; read through config.ts in every thread.
import {
  choice,
  duration,
  flag,
  integer,
  list,
  path,
  secret,
  secretTree,
  text,
  tree,
  treeList,
} from './config-row.js';

const JAR = 'no effect: a JVM archive cannot run in Node';
const LOGIN =
  "no effect: account log-in by password was withdrawn by the service; use the YouTube module's OAuth settings";
const YOUTUBE = 'no effect: not available in this build; /v4/info does not list it';
const SOURCE = 'no effect yet: this source is not built';
const FILTER = 'no effect yet: this filter is not built';
const PLANNER = 'no effect yet: the route planner is not built';
const PROXY = 'no effect yet: the http source connects directly';

/** A source of Lavalink's that this build lacks: switching it off is what happens anyway. */
const absentSource = (fallback: boolean, name: string, status: typeof SOURCE | typeof YOUTUBE = SOURCE) =>
  flag(fallback, {
    takesEffect: 'live',
    status,
    only: true,
    doc: `The ${name} source.`,
    shipped: false,
  });

/** A filter that this build lacks: it is absent from /v4/info either way. */
const absentFilter = (name: string) =>
  flag(true, {
    takesEffect: 'live',
    status: FILTER,
    doc: `The ${name} filter; false refuses it with 400 and takes it out of /v4/info.`,
  });

export const LAVALINK_KEYS = {
  'lavalink.plugins': treeList({
    takesEffect: 'restart',
    status: JAR,
    doc: 'Plugins of the Java server, each with a dependency (group:name:version), a repository and a snapshot flag.',
  }),
  'lavalink.pluginsDir': path('./plugins', {
    takesEffect: 'restart',
    status: 'no effect yet: this build loads no plugins',
    doc: 'Folder of plugins.',
  }),
  'lavalink.defaultPluginRepository': text('', {
    takesEffect: 'restart',
    status: JAR,
    doc: 'Where the Java server downloads the releases of plugins.',
  }),
  'lavalink.defaultPluginSnapshotRepository': text('', {
    takesEffect: 'restart',
    status: JAR,
    doc: 'Where the Java server downloads the snapshots of plugins.',
  }),
  plugins: secretTree({
    takesEffect: 'restart',
    status: 'no effect: there is no module of that name',
    doc: 'Settings of plugins, by name of the plugin.',
  }),

  'lavalink.server.password': secret({
    takesEffect: 'live',
    doc: 'What a client sends in the Authorization header. Without one the server refuses to start; change the well-known one below.',
    shipped: 'youshallnotpass',
  }),
  'lavalink.server.sources.youtube': absentSource(true, 'YouTube', YOUTUBE),
  'lavalink.server.sources.bandcamp': absentSource(true, 'Bandcamp'),
  'lavalink.server.sources.soundcloud': absentSource(true, 'SoundCloud'),
  'lavalink.server.sources.twitch': absentSource(true, 'Twitch'),
  'lavalink.server.sources.vimeo': absentSource(true, 'Vimeo'),
  'lavalink.server.sources.nico': absentSource(false, 'NicoNico (niconico on the wire)'),
  'lavalink.server.sources.http': flag(true, {
    takesEffect: 'live',
    doc: 'Media from http and https addresses; private addresses are refused (pumice.sources.allowPrivate).',
    shipped: true,
  }),
  'lavalink.server.sources.local': flag(false, {
    takesEffect: 'live',
    doc: 'Media files under pumice.sources.localRoot.',
    shipped: false,
  }),
  'lavalink.server.filters.volume': flag(true, {
    takesEffect: 'live',
    doc: 'The volume filter; false refuses it with 400 and takes it out of /v4/info.',
  }),
  'lavalink.server.filters.equalizer': absentFilter('equalizer'),
  'lavalink.server.filters.karaoke': absentFilter('karaoke'),
  'lavalink.server.filters.timescale': absentFilter('timescale'),
  'lavalink.server.filters.tremolo': absentFilter('tremolo'),
  'lavalink.server.filters.vibrato': absentFilter('vibrato'),
  'lavalink.server.filters.distortion': absentFilter('distortion'),
  'lavalink.server.filters.rotation': absentFilter('rotation'),
  'lavalink.server.filters.channelMix': absentFilter('channelMix'),
  'lavalink.server.filters.lowPass': absentFilter('lowPass'),
  'lavalink.server.filters': tree({
    takesEffect: 'live',
    status: 'no effect: there is no filter of that name',
    doc: 'Switches of filters that plugins add, by name.',
  }),
  'lavalink.server.nonAllocatingFrameBuffer': flag(false, {
    takesEffect: 'new',
    status: 'no effect yet: what was not sent is always made again',
    only: true,
    doc: 'true sends what is prepared, so that a change of volume is heard after bufferDurationMs; false makes prepared packets again at once.',
  }),
  'lavalink.server.bufferDurationMs': duration(
    'ms',
    400,
    { min: 40, max: 1_000, below: 400, above: 1_000, off: true },
    {
      takesEffect: 'new',
      status: 'limited: the discordjs voice driver is two frames ahead, whatever is asked',
      doc: 'Packets kept ready ahead of the sender.',
    },
  ),
  'lavalink.server.frameBufferDurationMs': duration(
    'ms',
    5_000,
    { min: 200, max: 600_000, below: 5_000, above: 600_000 },
    {
      takesEffect: 'new',
      doc: 'Compressed packets kept ahead of the decoder, bounded in bytes too.',
    },
  ),
  'lavalink.server.opusEncodingQuality': integer(
    10,
    { min: 0, max: 10, below: 10, above: 10 },
    {
      takesEffect: 'new',
      doc: 'Complexity of the Opus encoder. Nothing is encoded where the source can be passed through.',
    },
  ),
  'lavalink.server.resamplingQuality': choice(['LOW', 'MEDIUM', 'HIGH'], 'LOW', {
    takesEffect: 'new',
    doc: 'Design of the resampler for sources that are not at 48 kHz.',
  }),
  'lavalink.server.trackStuckThresholdMs': duration(
    'ms',
    10_000,
    { min: 100, below: 10_000, max: 3_600_000, above: 3_600_000 },
    {
      takesEffect: 'new',
      doc: 'A playing track that has given no frame for this long raises TrackStuckEvent.',
    },
  ),
  'lavalink.server.useSeekGhosting': flag(true, {
    takesEffect: 'new',
    doc: 'Whether old frames play on until a seek yields data.',
  }),
  'lavalink.server.youtubePlaylistLoadLimit': integer(
    6,
    { min: 0, max: 1_000 },
    {
      takesEffect: 'live',
      status: YOUTUBE,
      doc: 'Pages of 100 tracks that are read of a playlist.',
    },
  ),
  'lavalink.server.playerUpdateInterval': duration(
    's',
    5_000,
    { min: 1_000, max: 3_600_000 },
    {
      takesEffect: 'new',
      doc: 'Time between two playerUpdate messages of a player with a track.',
    },
  ),
  'lavalink.server.youtubeSearchEnabled': flag(true, {
    takesEffect: 'live',
    status: YOUTUBE,
    doc: 'Whether ytsearch: and ytmsearch: are answered.',
  }),
  'lavalink.server.soundcloudSearchEnabled': flag(true, {
    takesEffect: 'live',
    status: SOURCE,
    doc: 'Whether scsearch: is answered.',
  }),
  'lavalink.server.soundcloudFilterOutPreviewTracks': flag(false, {
    takesEffect: 'live',
    status: SOURCE,
    doc: 'Whether tracks of which only a preview is free are left out.',
  }),
  'lavalink.server.gc-warnings': flag(true, {
    takesEffect: 'live',
    status: 'no effect yet: pauses are not reported in the log',
    doc: 'A report of collection pauses and stalls every two minutes.',
  }),
  'lavalink.server.ratelimit.ipBlocks': list([], {
    items: 'networks',
    takesEffect: 'restart',
    status: PLANNER,
    doc: 'Address blocks (CIDR) that outgoing requests rotate through; empty for none.',
  }),
  'lavalink.server.ratelimit.excludedIps': list([], {
    items: 'networks',
    takesEffect: 'restart',
    status: PLANNER,
    doc: 'Addresses of the blocks that are never used.',
    variables: ['LAVALINK_SERVER_RATELIMIT_EXCLUDE_IPS'],
  }),
  'lavalink.server.ratelimit.strategy': choice(
    ['RotateOnBan', 'LoadBalance', 'NanoSwitch', 'RotatingNanoSwitch'],
    'RotateOnBan',
    { takesEffect: 'restart', status: PLANNER, doc: 'How the next address is chosen.' },
  ),
  'lavalink.server.ratelimit.searchTriggersFail': flag(true, {
    takesEffect: 'live',
    status: PLANNER,
    doc: 'Whether a search that is answered 429 marks its address.',
    variables: ['LAVALINK_SERVER_RATELIMIT_SEARCH_TRIGGERS_FAIK'],
  }),
  'lavalink.server.ratelimit.retryLimit': integer(
    -1,
    { min: -1_000_000, max: 1_000_000 },
    { takesEffect: 'live', status: PLANNER, doc: 'Tries of one request; 0 for no limit, below 0 for 10.' },
  ),
  'lavalink.server.youtubeConfig.email': text('', {
    takesEffect: 'restart',
    status: LOGIN,
    doc: 'Account of the YouTube source.',
  }),
  'lavalink.server.youtubeConfig.password': secret({
    takesEffect: 'restart',
    status: LOGIN,
    doc: 'Password of that account.',
  }),
  'lavalink.server.httpConfig.proxyHost': text('', {
    takesEffect: 'live',
    status: PROXY,
    doc: 'Proxy of the http source.',
  }),
  'lavalink.server.httpConfig.proxyPort': integer(
    3_128,
    { min: 1, max: 65_535 },
    {
      takesEffect: 'live',
      status: PROXY,
      doc: 'Port of the proxy.',
    },
  ),
  'lavalink.server.httpConfig.proxyUser': text('', {
    takesEffect: 'live',
    status: PROXY,
    doc: 'User name at the proxy; empty for none.',
  }),
  'lavalink.server.httpConfig.proxyPassword': secret({
    takesEffect: 'live',
    status: PROXY,
    doc: 'Password at the proxy.',
  }),
  'lavalink.server.timeouts.connectTimeoutMs': duration(
    'ms',
    3_000,
    { min: 1, max: 600_000 },
    { takesEffect: 'live', doc: 'Ceiling on connecting to a media server.' },
  ),
  'lavalink.server.timeouts.connectionRequestTimeoutMs': duration(
    'ms',
    3_000,
    { min: 1, max: 600_000 },
    {
      takesEffect: 'live',
      status: 'no effect yet: there is no pool whose connections could run out',
      doc: 'Ceiling on waiting for a free connection.',
    },
  ),
  'lavalink.server.timeouts.socketTimeoutMs': duration(
    'ms',
    3_000,
    { min: 1, max: 600_000 },
    { takesEffect: 'live', doc: 'Ceiling on silence between two bytes of a media server.' },
  ),
} as const;
