// The table of every error that leaves this server, and the one class that carries them. docs/errors.md is
// made from the table and a test holds the two equal. `status` is what REST answers, `severity` what a
// Lavalink client reads in an exception. Used in every thread; a failure caused by data inside the frame
// loop is a status code instead, never a throw.

export type Severity = 'common' | 'suspicious' | 'fault';

interface ErrorRow {
  readonly status: number;
  readonly severity: Severity;
  /** `{name}` is replaced from the parameters given to the error. */
  readonly message: string;
}

const row = (status: number, severity: Severity, message: string): ErrorRow => ({
  status,
  severity,
  message,
});

export const ERRORS = {
  // Edge: what a client's request gets wrong.
  PUM_AUTH_MISSING: row(401, 'common', 'The Authorization header is missing'),
  PUM_AUTH_WRONG: row(403, 'common', 'The password is wrong'),
  PUM_AUTH_THROTTLED: row(429, 'common', 'Too many wrong passwords came from this address'),
  PUM_HTTP_BAD_REQUEST: row(400, 'common', '{reason}'),
  PUM_HTTP_BODY_TOO_LARGE: row(413, 'common', 'The body is larger than {limit} bytes'),
  PUM_HTTP_HEADERS_TOO_LARGE: row(431, 'common', 'The header block is too large'),
  PUM_HTTP_URL_TOO_LONG: row(414, 'common', 'The request target is longer than {limit} bytes'),
  PUM_HTTP_METHOD: row(405, 'common', "Method '{method}' is not supported."),
  PUM_HTTP_MEDIA_TYPE: row(415, 'common', "Content-Type '{type}' is not supported"),
  PUM_HTTP_NOT_FOUND: row(404, 'common', 'No endpoint {method} {path}.'),
  PUM_HTTP_PARAMETER: row(400, 'common', "Required parameter '{name}' is not present."),
  PUM_HTTP_DEADLINE: row(504, 'suspicious', 'No answer within {ms} ms'),
  PUM_HTTP_INTERNAL: row(500, 'fault', 'Request processing failed: {reason}'),
  PUM_HTTP_SHUTTING_DOWN: row(503, 'common', 'The server is shutting down'),
  PUM_ROUTE_PLANNER: row(500, 'common', "Can't access disabled route planner"),

  // Sessions and players.
  PUM_SESSION_NOT_FOUND: row(404, 'common', 'Session not found'),
  PUM_PLAYER_NOT_FOUND: row(404, 'common', 'Player not found'),
  PUM_PLAYER_LIMIT: row(
    429,
    'common',
    'This session already has {limit} players (limits.maxPlayersPerSession)',
  ),
  PUM_NODE_LIMIT: row(503, 'common', 'This node already has {limit} players (limits.maxTotalPlayers)'),
  PUM_SESSION_BUSY: row(429, 'common', 'More than {limit} commands of this session are waiting'),
  PUM_SHARD_BUSY: row(503, 'suspicious', 'More than {limit} commands of this shard are waiting'),
  PUM_SHARD_GONE: row(503, 'suspicious', 'The shard of this player ended before it answered'),
  PUM_COMMAND_DEADLINE: row(503, 'suspicious', 'The shard did not answer within {ms} ms'),
  PUM_COMMAND_STALE: row(409, 'common', 'The command was meant for an earlier placement of this player'),
  PUM_NO_SHARD: row(503, 'suspicious', 'No shard is ready'),
  PUM_SNAPSHOT_INVALID: row(500, 'fault', 'The saved player cannot be read: {field}'),
  PUM_SNAPSHOT_TOO_LARGE: row(400, 'common', 'The state of this player is {bytes} bytes, more than {limit}'),

  // Tracks.
  PUM_TOKEN_INVALID: row(500, 'common', 'The encoded track is damaged: {reason}'),
  PUM_TOKEN_TOO_LONG: row(400, 'common', 'The encoded track is longer than {limit} characters'),
  PUM_TOKEN_UNENCODABLE: row(500, 'common', 'encoded string ({start}…) too long: {bytes} bytes'),
  PUM_TOKEN_SOURCE: row(
    500,
    'common',
    'Failed to decode track due to a mismatching version or missing source manager',
  ),
  PUM_LOAD_FAILED: row(400, 'fault', 'Something went wrong while looking up the track.'),
  PUM_LOAD_NOTHING: row(400, 'common', 'No matches found for identifier'),
  PUM_LOAD_NOT_A_TRACK: row(400, 'common', 'Cannot play a playlist or search result'),
  PUM_LOAD_BUSY: row(503, 'suspicious', 'More than {limit} loads of this node are waiting'),
  PUM_LOAD_DEADLINE: row(504, 'suspicious', 'Nothing was found within {ms} ms'),

  // Sources.
  PUM_SOURCE_URL: row(400, 'common', 'Not a valid URL.'),
  PUM_SOURCE_REFUSED: row(403, 'common', 'That address is not allowed: {reason}'),
  PUM_SOURCE_RESOLVE: row(502, 'suspicious', 'The host name could not be resolved'),
  PUM_SOURCE_CONNECT: row(502, 'suspicious', 'Connecting to the URL failed.'),
  PUM_SOURCE_STATUS: row(502, 'common', 'That URL is not playable.'),
  PUM_SOURCE_TIMEOUT: row(504, 'suspicious', 'The source sent nothing for {ms} ms'),
  PUM_SOURCE_BROKEN: row(502, 'suspicious', 'Failed to get next part of the stream.'),
  PUM_SOURCE_REDIRECTS: row(502, 'common', 'The URL redirects more than {limit} times, or in a circle'),
  PUM_SOURCE_NOT_FOUND: row(404, 'common', 'This track is not available'),
  PUM_SOURCE_FILE: row(403, 'common', 'The file is outside the media folder or cannot be read'),

  // Audio.
  PUM_FORMAT_UNKNOWN: row(415, 'common', 'Unknown file format.'),
  PUM_FORMAT_UNSUPPORTED: row(415, 'common', 'The codec {codec} is not supported'),
  PUM_FORMAT_BROKEN: row(422, 'fault', 'The file is damaged: {reason}'),
  PUM_DECODE_FAILED: row(500, 'fault', 'Something went wrong when decoding the track.'),
  PUM_DECODER_MISSING: row(500, 'fault', 'No decoder for {codec} is installed on this machine'),
  PUM_SEEK_FAILED: row(500, 'fault', 'Something went wrong when seeking to a position.'),
  PUM_TRACK_TERMINATED: row(500, 'suspicious', 'The track was unexpectedly terminated.'),

  // Voice.
  PUM_VOICE_ENDPOINT: row(400, 'common', 'The voice endpoint {host} is not allowed (pumice.voice.endpoints)'),
  PUM_VOICE_FAILED: row(500, 'suspicious', 'Failed to connect to voice server'),
  PUM_VOICE_FULL: row(503, 'suspicious', 'This shard already has {limit} voice connections'),
  PUM_RING_IN_USE: row(500, 'fault', 'Send ring {ring} is still in use'),
  PUM_NONCE_EXHAUSTED: row(500, 'fault', 'The key of this voice connection has sealed {limit} packets'),

  // Start-up.
  PUM_CONFIG_INVALID: row(500, 'fault', '{reason}'),
  PUM_LISTEN_FAILED: row(
    500,
    'fault',
    'Cannot listen on {address} port {port}: taken, or not an address of this machine',
  ),
  PUM_ENGINE_MISSING: row(500, 'fault', 'uWebSockets.js has no native binary for {target}'),
  PUM_CHANNEL_BROKEN: row(500, 'fault', 'A message between threads could not be read: {reason}'),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

export type ErrorParameters = Readonly<Record<string, string | number>>;

/** How an error crosses a thread: plain data, no stack. */
export interface ErrorShape {
  readonly code: ErrorCode;
  readonly parameters: ErrorParameters;
  /** Code and message of each cause, nearest first. */
  readonly causes: readonly string[];
}

export class ServerError extends Error {
  override readonly name = 'ServerError';
  readonly code: ErrorCode;
  readonly parameters: ErrorParameters;
  readonly #causes: readonly string[];

  constructor(code: ErrorCode, parameters: ErrorParameters = {}, cause?: unknown) {
    super(fill(ERRORS[code].message, parameters), cause === undefined ? undefined : { cause });
    this.code = code;
    this.parameters = parameters;
    this.#causes = cause === undefined ? [] : describe(cause);
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  get severity(): Severity {
    return ERRORS[this.code].severity;
  }

  /** `code: message` of this error and of each cause, nearest first; never a file name or line (D10). */
  chain(): readonly string[] {
    return [`${this.code}: ${this.message}`, ...this.#causes];
  }

  toShape(): ErrorShape {
    return { code: this.code, parameters: this.parameters, causes: this.#causes };
  }

  static fromShape(shape: ErrorShape): ServerError {
    return new ReceivedError(shape.code, shape.parameters, shape.causes);
  }

  /** Any thrown value as a ServerError; an unknown one becomes `fallback` with the value as its cause. */
  static from(thrown: unknown, fallback: ErrorCode, parameters: ErrorParameters = {}): ServerError {
    return thrown instanceof ServerError ? thrown : new ServerError(fallback, parameters, thrown);
  }
}

class ReceivedError extends ServerError {
  readonly #received: readonly string[];

  constructor(code: ErrorCode, parameters: ErrorParameters, causes: readonly string[]) {
    super(code, parameters);
    this.#received = causes;
  }

  override chain(): readonly string[] {
    return [...super.chain(), ...this.#received];
  }

  override toShape(): ErrorShape {
    return { ...super.toShape(), causes: this.#received };
  }
}

function fill(template: string, parameters: ErrorParameters): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => String(parameters[name] ?? whole));
}

function describe(cause: unknown): readonly string[] {
  if (cause instanceof ServerError) return cause.chain();
  if (cause instanceof Error) {
    const code = (cause as { code?: unknown }).code;
    const label = typeof code === 'string' ? code : cause.name;
    return [`${label}: ${cause.message}`, ...(cause.cause === undefined ? [] : describe(cause.cause))];
  }
  return [String(cause)];
}
