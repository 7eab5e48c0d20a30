// Pumice's own rows of the configuration table (settings-and-metrics.md §4, architecture.md §6). Data only; read
// through config.ts in every thread.
import {
  bitrate,
  choice,
  duration,
  flag,
  integer,
  list,
  optionalInteger,
  optionalPath,
  optionalSize,
  optionalText,
  path,
  ratio,
  size,
} from './config-row.js';
import { DISPATCH, EDGE, SESSION } from './limits.js';

const SCALING = 'no effect yet: the number of shards is fixed';
const WATCHDOG = 'no effect yet: the built-in figures are used';
const VOICE = 'no effect yet: the system chooses';
const FRAMES = 'no effect yet: frames are not kept';

const MIB = 1024 * 1024;

export const OWN_KEYS = {
  'pumice.voice.endpoints': list(['*.discord.media'], {
    takesEffect: 'new',
    doc: "Host patterns (no port: any port) that a client's voice endpoint may name; anything else is refused with 400.",
  }),
  'pumice.voice.caFile': optionalPath({
    takesEffect: 'restart',
    doc: 'Further authorities for the voice gateway, PEM.',
  }),
  'pumice.voice.driver': choice(['native', 'discordjs'], 'native', {
    takesEffect: 'restart',
    doc: 'Who speaks to the voice servers: our own client, or @discordjs/voice with 150 connections a shard.',
  }),
  'pumice.voice.bindAddress': optionalText({
    takesEffect: 'restart',
    status: VOICE,
    doc: 'Local address of voice sockets.',
  }),
  'pumice.voice.udpPorts': optionalText({
    takesEffect: 'restart',
    status: VOICE,
    doc: 'Local ports of voice sockets, such as 40000-40100.',
  }),
  'pumice.voice.requireChannelId': flag(true, {
    takesEffect: 'new',
    status: 'no effect yet: a voice state without channelId is always refused',
    doc: 'false lets clients older than Lavalink 4.2 connect where no DAVE is demanded.',
  }),
  'pumice.sources.allowPrivate': list([], {
    items: 'networks',
    takesEffect: 'live',
    doc: 'Addresses or CIDRs outside the public range that media URLs may reach.',
  }),
  'pumice.sources.localRoot': path('./media', {
    takesEffect: 'restart',
    doc: 'Folder that the local source may read; nothing outside it can be named.',
  }),
  'pumice.audio.positionClock': choice(['source', 'output'], 'source', {
    takesEffect: 'new',
    status: 'no effect yet: positions are always in source time',
    only: 'output',
    doc: "Time that positions are counted in; output gives Lavalink's reading under timescale.",
  }),
  'pumice.audio.decoder': choice(['auto', 'native', 'ffmpeg'], 'auto', {
    takesEffect: 'restart',
    status: 'no effect yet: the decoder is chosen by what is installed',
    doc: 'Decoder: FFmpeg in this process, FFmpeg as a child, or the first that is there.',
  }),
  'pumice.audio.bitrate': bitrate(
    128_000,
    { min: 8_000, max: 510_000 },
    { takesEffect: 'new', doc: 'Opus bit rate of encoded players.' },
  ),
  'pumice.http.engine': choice(['auto', 'uws', 'node'], 'auto', {
    takesEffect: 'restart',
    status: 'no effect yet: there is one engine',
    doc: 'HTTP engine: uWebSockets.js, node:http, or the first that is there.',
  }),
  'pumice.http.trustedProxies': list([], {
    items: 'networks',
    takesEffect: 'live',
    status: 'no effect yet: the address of the socket counts',
    doc: 'Addresses or CIDRs whose X-Forwarded-For is believed.',
  }),
  'pumice.http.maxBody': size(
    EDGE.maxBody,
    { min: 1_024, max: 64 * MIB },
    { takesEffect: 'live', doc: 'Largest request body; a larger one is answered 413.' },
  ),
  'pumice.http.commandDeadline': duration(
    's',
    EDGE.commandDeadline,
    { min: 100, max: 600_000 },
    { takesEffect: 'live', doc: 'Longest wait for the answer of a shard.' },
  ),
  'pumice.http.loadDeadline': duration(
    's',
    EDGE.loadDeadline,
    { min: 100, max: 600_000 },
    { takesEffect: 'live', doc: 'Longest look-up of a track.' },
  ),
  'pumice.websocket.maxOutbox': size(
    EDGE.maxOutbox,
    { min: 16 * 1024, max: 256 * MIB },
    { takesEffect: 'live', doc: 'Unsent bytes of one client; beyond them its socket is closed.' },
  ),
  'pumice.resume.maxTimeout': duration(
    's',
    SESSION.maxResumeTimeout * 1_000,
    { min: 0, max: 30 * 86_400_000 },
    { takesEffect: 'live', doc: 'Longest time for which a session can be resumed, whatever a client asks.' },
  ),
  'pumice.resume.maxEvents': integer(
    SESSION.maxResumeEvents,
    { min: 0, max: 1_000_000 },
    { takesEffect: 'live', doc: 'Events kept for a client that is away; one more ends its session.' },
  ),
  'pumice.resume.maxBytes': size(
    SESSION.maxResumeBytes,
    { min: 0, max: 1024 * MIB },
    { takesEffect: 'live', doc: 'Bytes of those events; more end the session.' },
  ),
  'pumice.state.enabled': flag(true, {
    takesEffect: 'restart',
    status: 'no effect yet: sessions and players do not survive a restart',
    doc: 'Whether sessions and players survive a restart.',
  }),
  'pumice.state.directory': path('./state', {
    takesEffect: 'restart',
    doc: 'Folder of what the server keeps between two starts.',
  }),
  'pumice.shutdown.grace': duration(
    's',
    5_000,
    { min: 0, max: 600_000 },
    { takesEffect: 'live', doc: 'Time that requests are still answered after SIGTERM.' },
  ),
  'pumice.shutdown.timeout': duration(
    's',
    25_000,
    { min: 100, max: 3_600_000 },
    { takesEffect: 'live', doc: 'Longest drain after SIGTERM; a second signal ends it at once.' },
  ),
  'pumice.log.format': choice(['auto', 'plain', 'json'], 'auto', {
    takesEffect: 'restart',
    doc: 'Form of the log; auto is plain on a terminal and json otherwise.',
  }),
  'pumice.debug.traces': flag(false, {
    takesEffect: 'live',
    status: 'limited: to trace; causeStackTrace carries codes and messages only',
    only: true,
    doc: 'Whether trace and causeStackTrace carry files and lines. Not for production.',
  }),
  'pumice.debug.endpoints': flag(false, {
    takesEffect: 'restart',
    status: 'no effect yet: the debug routes are not built',
    only: true,
    doc: 'Profiles and heap snapshots under /pumice/v1/debug.',
  }),

  'pumice.scaling.minShards': optionalInteger(
    { min: 1, max: 256 },
    { takesEffect: 'restart', status: SCALING, doc: 'Fewest shards; workerThreads where absent.' },
  ),
  'pumice.scaling.maxShards': optionalInteger(
    { min: 1, max: 256 },
    { takesEffect: 'restart', status: SCALING, doc: 'Most shards; workerThreads where absent.' },
  ),
  'pumice.scaling.targetBusy': ratio(
    0.6,
    { min: 0.05, max: 1 },
    { takesEffect: 'live', status: SCALING, doc: 'Share of a core that a shard should use.' },
  ),
  'pumice.scaling.upAfter': duration(
    's',
    5_000,
    { min: 100, max: 86_400_000 },
    { takesEffect: 'live', status: SCALING, doc: 'Time above the target before a shard is added.' },
  ),
  'pumice.scaling.downAfter': duration(
    's',
    300_000,
    { min: 100, max: 86_400_000 },
    { takesEffect: 'live', status: SCALING, doc: 'Time below the target before a shard is drained.' },
  ),
  'pumice.shards.heapLimit': optionalSize(
    { min: 16 * MIB },
    {
      takesEffect: 'restart',
      doc: "Heap of one shard, beyond which it is replaced; V8's own limit where absent.",
    },
  ),
  'pumice.watchdog.wedgeAfter': duration(
    's',
    2_000,
    { min: 100, max: 600_000 },
    { takesEffect: 'live', status: WATCHDOG, doc: 'Silence after which a shard counts as wedged.' },
  ),
  'pumice.watchdog.restarts': integer(
    DISPATCH.maxRestarts,
    { min: 0, max: 1_000 },
    {
      takesEffect: 'live',
      status: WATCHDOG,
      doc: 'Restarts of shards within the window before the process ends.',
    },
  ),
  'pumice.watchdog.window': duration(
    's',
    DISPATCH.restartWindow,
    { min: 1_000, max: 86_400_000 },
    { takesEffect: 'live', status: WATCHDOG, doc: 'Window in which restarts are counted.' },
  ),
  'pumice.cache.frames.enabled': flag(true, {
    takesEffect: 'restart',
    status: FRAMES,
    doc: 'Whether Opus frames of hot tracks are kept.',
  }),
  'pumice.cache.frames.maxBytes': size(
    64 * MIB,
    { min: 0, max: 64 * 1024 * MIB },
    { takesEffect: 'live', status: FRAMES, doc: 'Bytes of kept frames.' },
  ),
  'pumice.cache.frames.ttl': duration(
    's',
    3_600_000,
    { min: 0, max: 30 * 86_400_000 },
    { takesEffect: 'live', status: FRAMES, doc: 'Age limit of kept frames.' },
  ),
} as const;
