// The `metrics.*`, `sentry.*`, `logging.*` and `spring.*` rows of the configuration table and the variables of
// the environment (settings-and-metrics.md §2.4, §3.4, §3.5). Data only; read through config.ts in every thread.
import {
  choice,
  duration,
  flag,
  integer,
  list,
  optionalInteger,
  optionalPath,
  optionalText,
  secret,
  secretTree,
  size,
  text,
  tree,
  variable,
} from './config-row.js';

const LISTENER = 'no effect yet: there is no separate listener for metrics';
const FAMILY = 'no effect yet: this family of series is not built';
const SENTRY = 'no effect yet: events are not posted';
const LOG_FILE = 'no effect yet: the log goes to standard output only';
const CONFIG_SERVER = 'no effect yet: configuration servers are not asked';

export const LOG_LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'OFF'] as const;

export const OBSERVING_KEYS = {
  'metrics.prometheus.enabled': flag(false, {
    takesEffect: 'live',
    doc: 'Whether the metrics are served.',
    shipped: true,
  }),
  'metrics.prometheus.endpoint': optionalText({
    takesEffect: 'restart',
    doc: 'Path of the metrics. Set here it needs no password; not set, the path is /metrics and needs it.',
    shipped: '/metrics',
  }),
  'metrics.prometheus.port': optionalInteger(
    { min: 0, max: 65_535 },
    {
      takesEffect: 'restart',
      status: LISTENER,
      doc: 'Port of a second listener for the metrics only. 9090 is that of Prometheus itself: on one host take another.',
    },
  ),
  'metrics.prometheus.address': optionalText({
    takesEffect: 'restart',
    status: LISTENER,
    doc: 'Address of that listener; server.address where absent.',
  }),
  'metrics.prometheus.username': optionalText({
    takesEffect: 'restart',
    status: LISTENER,
    doc: 'User name at that listener; absent for none.',
  }),
  'metrics.prometheus.password': secret({
    takesEffect: 'restart',
    status: LISTENER,
    doc: 'Password at that listener.',
  }),
  'pumice.metrics.collectionInterval': duration(
    's',
    5_000,
    { min: 100, max: 3_600_000 },
    {
      takesEffect: 'live',
      status: 'no effect yet: gauges are read at every scrape',
      doc: 'Period of sampled gauges; counters are always live.',
    },
  ),
  'pumice.metrics.trackPerformanceMetrics': flag(true, {
    takesEffect: 'live',
    status: FAMILY,
    doc: 'Series of lateness, load times, first packets and cost of each stage.',
  }),
  'pumice.metrics.memoryUsageMetrics': flag(true, {
    takesEffect: 'live',
    status: FAMILY,
    doc: 'Series of heaps, collections and caches.',
  }),
  'pumice.metrics.networkMetrics': flag(true, {
    takesEffect: 'live',
    status: FAMILY,
    doc: 'Series of connections, bytes, messages, requests and voice.',
  }),

  'sentry.dsn': secret({
    takesEffect: 'live',
    status: SENTRY,
    doc: 'Where warnings and errors are posted; empty for nowhere.',
  }),
  'sentry.environment': text('', {
    takesEffect: 'live',
    status: SENTRY,
    doc: 'Name of the environment in posted events.',
  }),
  'sentry.tags': tree({ takesEffect: 'live', status: SENTRY, doc: 'Tags of posted events, by name.' }),

  'logging.level.root': choice(
    LOG_LEVELS,
    'INFO',
    { takesEffect: 'live', doc: 'Least severe level that is logged.', shipped: 'INFO' },
    { fatal: 'ERROR', false: 'OFF' },
  ),
  'logging.level': tree({
    takesEffect: 'live',
    status: 'limited: by the names of our own loggers; those of Java are not mapped yet',
    doc: 'Levels of single loggers, by name.',
  }),
  'logging.pattern': tree({
    takesEffect: 'restart',
    status: 'no effect: a pattern of the Java logger; see pumice.log.format',
    doc: 'Line patterns of the Java server.',
  }),
  'logging.file.path': optionalPath({
    takesEffect: 'restart',
    status: LOG_FILE,
    doc: 'Folder of the log file pumice.log.',
  }),
  'logging.file.name': optionalPath({
    takesEffect: 'restart',
    status: LOG_FILE,
    doc: 'The log file itself; overrides logging.file.path.',
  }),
  'logging.request.enabled': flag(true, {
    takesEffect: 'live',
    doc: 'One line of the log for each request, health probes left out.',
  }),
  'logging.request.includeClientInfo': flag(false, {
    takesEffect: 'live',
    doc: 'Address of the client in that line.',
  }),
  'logging.request.includeHeaders': flag(false, {
    takesEffect: 'live',
    doc: 'Headers in that line, Authorization masked.',
  }),
  'logging.request.includeQueryString': flag(true, {
    takesEffect: 'live',
    doc: 'Query in that line.',
  }),
  'logging.request.includePayload': flag(true, {
    takesEffect: 'live',
    doc: 'Body in that line, voice credentials masked.',
  }),
  'logging.request.maxPayloadLength': integer(
    10_000,
    { min: 0, max: 1_048_576 },
    { takesEffect: 'live', doc: 'Characters of the body that are logged.' },
  ),
  'logging.request.beforeRequest': flag(false, {
    takesEffect: 'live',
    doc: 'A further line before the request is handled, beginning with >>.',
  }),
  'logging.logback.rollingpolicy.max-file-size': size(
    10 * 1024 * 1024,
    { min: 1 },
    {
      takesEffect: 'live',
      aliases: ['logging.file.max-size'],
      status: LOG_FILE,
      doc: 'Size at which a log file is exchanged.',
    },
  ),
  'logging.logback.rollingpolicy.max-history': integer(
    7,
    { min: 0, max: 100_000 },
    {
      takesEffect: 'live',
      aliases: ['logging.file.max-history'],
      status: LOG_FILE,
      doc: 'Days for which log files are kept.',
    },
  ),

  'spring.profiles.active': list([], {
    takesEffect: 'restart',
    doc: 'Profiles; for each the file application-PROFILE.yml beside this one overrides it.',
  }),
  'spring.config.import': list([], {
    takesEffect: 'restart',
    doc: 'Further files (file:PATH, optional:file:PATH) that override this one. Configuration servers are not asked yet.',
  }),
  'spring.config.activate.on-profile': list([], {
    takesEffect: 'restart',
    doc: 'Profiles under which this document of a file counts; !NAME for all others.',
  }),
  'spring.cloud.config.enabled': flag(false, {
    takesEffect: 'restart',
    status: CONFIG_SERVER,
    only: true,
    doc: 'Whether a configuration server is asked.',
  }),
  'spring.cloud.config.name': optionalText({
    takesEffect: 'restart',
    status: CONFIG_SERVER,
    doc: 'Name of the application at the configuration server.',
  }),
  'spring.cloud.config.profile': optionalText({
    takesEffect: 'restart',
    status: CONFIG_SERVER,
    doc: 'Profile at the configuration server.',
  }),
  'spring.cloud.config.label': optionalText({
    takesEffect: 'restart',
    status: CONFIG_SERVER,
    doc: 'Label at the configuration server.',
  }),
  'spring.cloud.config.fail-fast': flag(false, {
    takesEffect: 'restart',
    status: CONFIG_SERVER,
    doc: 'Whether start-up fails without the configuration server.',
  }),
  'spring.cloud.config.username': optionalText({
    takesEffect: 'restart',
    status: CONFIG_SERVER,
    doc: 'User name at the configuration server.',
  }),
  'spring.cloud.config.password': secret({
    takesEffect: 'restart',
    status: CONFIG_SERVER,
    doc: 'Password at the configuration server.',
  }),
  spring: secretTree({
    takesEffect: 'restart',
    status: 'no effect: a setting of the Java server',
    doc: 'Other settings of the Java server, left alone.',
  }),
  management: secretTree({
    takesEffect: 'restart',
    status: 'no effect: a setting of the Java server',
    doc: 'Management settings of the Java server, left alone.',
  }),

  PUMICE_CONFIG: variable(
    optionalPath({ takesEffect: 'restart', doc: 'The configuration file, where --config names none.' }),
  ),
  RUST_LOG: variable(
    optionalText({
      takesEffect: 'live',
      aliases: ['PUMICE_LOG'],
      doc: 'A level, or directives such as warn,lavalink=debug; they override logging.level. PUMICE_LOG is the native name.',
    }),
  ),
  RUST_BACKTRACE: variable(
    choice(
      ['0', '1', 'full'],
      '0',
      {
        takesEffect: 'restart',
        status: 'no effect yet: the log carries code and message only',
        doc: 'What the log shows of an error: 0 code and message, 1 the stack, full the causes as well.',
      },
      { false: '0', true: '1' },
    ),
  ),
  MALLOC_ARENA_MAX: variable(
    optionalInteger(
      { min: 0, max: 1_024 },
      {
        takesEffect: 'restart',
        doc: 'Arenas of the C library; it is read by glibc before the server starts, so only the unit or the container can set it. It means nothing on musl.',
      },
    ),
  ),
} as const;
