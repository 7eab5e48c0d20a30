// The `server.*` rows of the configuration table: Lavalink's own (settings-and-metrics.md §2.1) and those of the
// tuning guide (§3.3). Data only; read through config.ts in every thread.
import {
  choice,
  duration,
  flag,
  integer,
  list,
  optionalPath,
  optionalText,
  secret,
  size,
  text,
} from './config-row.js';
import { EDGE } from './limits.js';

const KEY_STORE = {
  reason:
    'not supported: Java key stores cannot be read here; convert to PEM ' +
    '(openssl pkcs12 -in keystore.p12 -clcerts -nokeys -out cert.pem; ' +
    'openssl pkcs12 -in keystore.p12 -nocerts -out key.pem; a .jks first with ' +
    'keytool -importkeystore -srckeystore keystore.jks -destkeystore keystore.p12 -deststoretype pkcs12) ' +
    'and set server.ssl.certificate and server.ssl.certificate-private-key',
} as const;
const TLS_VERSIONS = 'no effect: the versions of TLS are those of the TLS library, 1.2 and up';
const SILENT =
  'no effect: uWebSockets.js closes such connections after 10–12 s whatever is asked; a longer bound is therefore kept, a shorter one is not';

export const SERVER_KEYS = {
  'server.port': integer(
    2333,
    { min: 0, max: 65_535 },
    {
      takesEffect: 'restart',
      doc: 'Port of the HTTP and WebSocket listener; 0 picks a free one and prints it.',
      shipped: 2333,
    },
  ),
  'server.address': text('0.0.0.0', {
    takesEffect: 'restart',
    doc: 'Address the listener is bound to, IPv4 or IPv6.',
    shipped: '0.0.0.0',
  }),
  'server.http2.enabled': flag(false, {
    takesEffect: 'restart',
    status:
      'no effect: uWebSockets.js serves HTTP/1.1 only; put a proxy in front for HTTP/2. WebSocket clients never use it',
    only: true,
    doc: 'HTTP/2, which is not served.',
  }),
  'server.ssl.enabled': flag(false, {
    takesEffect: 'restart',
    doc: 'TLS on the listener; true where a certificate is given and this key is not.',
  }),
  'server.ssl.certificate': optionalPath({
    takesEffect: 'restart',
    doc: 'Certificate chain, PEM; a renewed file needs a restart.',
  }),
  'server.ssl.certificate-private-key': optionalPath({
    takesEffect: 'restart',
    doc: 'Private key of the certificate, PEM.',
  }),
  'server.ssl.key-password': secret({
    takesEffect: 'restart',
    doc: 'Passphrase of an encrypted private key.',
  }),
  'server.ssl.trust-certificate': optionalPath({
    takesEffect: 'restart',
    status: 'no effect yet: certificates of clients are not asked for',
    doc: 'Authority that signs the certificates of clients, PEM.',
  }),
  'server.ssl.ciphers': list([], {
    takesEffect: 'restart',
    status: "no effect yet: the TLS library's own list is used",
    doc: 'Ciphers that a client may choose; empty for those of the TLS library.',
  }),
  'server.ssl.client-auth': optionalText({
    takesEffect: 'restart',
    status: 'no effect yet: certificates of clients are not asked for',
    doc: 'Whether a client has to show a certificate.',
  }),
  'server.ssl.protocol': optionalText({
    takesEffect: 'restart',
    status: TLS_VERSIONS,
    doc: 'Name of the TLS protocol.',
  }),
  'server.ssl.enabled-protocols': list([], {
    takesEffect: 'restart',
    status: TLS_VERSIONS,
    doc: 'Versions of TLS that are accepted.',
  }),
  'server.ssl.key-store': optionalPath({
    takesEffect: 'restart',
    refuse: KEY_STORE,
    doc: 'Java key store; fails start-up unless server.ssl.enabled is false, because starting without TLS would be worse.',
  }),
  'server.ssl.key-store-type': optionalText({
    takesEffect: 'restart',
    refuse: KEY_STORE,
    doc: 'Kind of the Java key store; fails start-up as server.ssl.key-store does.',
  }),
  'server.ssl.key-store-provider': optionalText({
    takesEffect: 'restart',
    refuse: KEY_STORE,
    doc: 'Provider of the Java key store; fails start-up as server.ssl.key-store does.',
  }),
  'server.ssl.key-store-password': secret({
    takesEffect: 'restart',
    refuse: KEY_STORE,
    doc: 'Password of the Java key store; fails start-up as server.ssl.key-store does.',
  }),
  'server.ssl.key-alias': optionalText({
    takesEffect: 'restart',
    refuse: KEY_STORE,
    doc: 'Entry of the Java key store; fails start-up as server.ssl.key-store does.',
  }),
  'server.error.include-stacktrace': choice(['never', 'always', 'on_param'], 'on_param', {
    takesEffect: 'live',
    doc: 'The trace field of error bodies: never, always, or when the request asks with ?trace. Codes and messages only, files and lines with pumice.debug.traces.',
  }),
  'server.error.include-message': choice(['never', 'always', 'on_param'], 'always', {
    takesEffect: 'live',
    doc: 'The message field of error bodies.',
  }),
  'server.error.include-exception': flag(false, {
    takesEffect: 'live',
    doc: 'Whether error bodies carry the error code in an exception field.',
  }),
  'server.error.include-binding-errors': choice(['never', 'always', 'on_param'], 'always', {
    takesEffect: 'live',
    status: 'no effect: a Spring form-binding list; field errors are always in message',
    doc: 'A list that only Spring makes.',
  }),
  'server.error.path': text('/error', {
    takesEffect: 'restart',
    status: 'no effect yet: the route is always /error',
    doc: 'Anonymous error route.',
  }),

  'server.http.maxConnections': integer(
    0,
    { min: 0, max: 1_000_000 },
    {
      takesEffect: 'live',
      status: 'no effect yet: connections are bounded by the open-file limit alone',
      doc: 'Open WebSockets and requests in flight; one more is answered 503. 0 derives it from the open-file limit.',
    },
  ),
  'server.http.connectionTimeout': duration(
    's',
    30_000,
    { min: 0, max: 3_600_000 },
    {
      takesEffect: 'restart',
      status: SILENT,
      doc: 'A connection that has not sent a whole request is closed within this time.',
    },
  ),
  'server.http.keepAliveTimeout': duration(
    's',
    60_000,
    { min: 0, max: 3_600_000 },
    {
      takesEffect: 'live',
      status: SILENT,
      doc: 'An idle connection is closed within this time.',
    },
  ),
  'server.http.requestTimeout': duration(
    's',
    EDGE.requestDeadline,
    { min: 100, max: 3_600_000 },
    {
      takesEffect: 'live',
      doc: 'Outermost deadline of a request; when it passes the answer is 504.',
    },
  ),
  'server.websocket.maxFrameSize': size(
    EDGE.maxMessage,
    { min: 1_024, max: 16 * 1024 * 1024 },
    {
      takesEffect: 'new',
      doc: 'Largest message a client may send; a larger one closes its socket with 1009.',
    },
  ),
  'server.websocket.pingInterval': duration(
    's',
    30_000,
    { min: 100, max: 3_600_000 },
    {
      takesEffect: 'live',
      doc: 'Time between two pings to a client.',
    },
  ),
  'server.websocket.pongTimeout': duration(
    's',
    10_000,
    { min: 100, max: 3_600_000 },
    {
      takesEffect: 'live',
      doc: 'A client that has not answered a ping within this time is dropped; its session becomes resumable.',
    },
  ),
} as const;
