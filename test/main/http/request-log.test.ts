// Claims about the log line of a request: what stands in it by each switch, and that no secret ever does.
import t from 'tap';
import { createLog } from '../../../src/main/log.js';
import { RequestLog, type RequestLogSettings } from '../../../src/main/http/request-log.js';
import { ManualClock } from '../../support/manual-clock.js';

const DEFAULTS: RequestLogSettings = {
  enabled: true,
  before: false,
  client: false,
  headers: false,
  query: true,
  payload: true,
  maxPayload: 10_000,
};

function written(changes: Partial<RequestLogSettings>, body = '', path = '/v4/x'): string[] {
  const lines: string[] = [];
  const log = createLog({
    clock: new ManualClock(),
    format: 'json',
    terminal: false,
    level: 'INFO',
    levels: {},
    secrets: [],
    write: (line) => {
      const { logger, message, status } = JSON.parse(line) as Record<string, unknown>;
      lines.push(`${String(logger)}|${String(message)}|${String(status)}`);
    },
  });
  const request = {
    method: 'PATCH',
    path,
    query: 'noReplace=true',
    headers: new Map([
      ['authorization', 'open sesame'],
      ['user-id', '42'],
    ]),
    body: Buffer.from(body),
    remoteAddress: '127.0.0.1',
  } as const;
  const requests = new RequestLog(log, { ...DEFAULTS, ...changes });
  requests.before(request);
  requests.after(request, 200);
  return lines;
}

t.test('a line has the parts that are switched on, in the order of Lavalink', { timeout: 10_000 }, (t) => {
  t.strictSame(written({}), ['pumice.request|PATCH /v4/x?noReplace=true|200']);
  t.strictSame(written({ enabled: false, before: true }), []);
  t.strictSame(written({ query: false, before: true }), [
    'pumice.request|>> PATCH /v4/x|undefined',
    'pumice.request|PATCH /v4/x|200',
  ]);
  t.strictSame(written({ client: true, headers: true }, '{"volume":5}'), [
    'pumice.request|PATCH /v4/x?noReplace=true, client=127.0.0.1, ' +
      'headers=[authorization:"***", user-id:"42"], payload={"volume":5}|200',
  ]);
  t.strictSame(written({ query: false, payload: false }, '{"volume":5}'), ['pumice.request|PATCH /v4/x|200']);
  t.strictSame(written({}, '', '/pumice/v1/health/ready'), [], 'probes are no news');
  t.end();
});

t.test('a payload is cut, its numbers stay, and its secrets are masked', { timeout: 10_000 }, (t) => {
  const payload = (body: string, changes: Partial<RequestLogSettings> = {}): string => {
    return (/payload=(.*)\|200$/.exec(written(changes, body)[0] ?? '') ?? [])[1] ?? '';
  };
  t.equal(payload('{"position": 12345678901234567890}'), '{"position":12345678901234567890}');
  t.equal(payload('{"volume":5}', { maxPayload: 4 }), '{"vo');
  t.equal(payload('{"volume":5}', { maxPayload: 0 }), '');
  t.equal(
    payload('{"voice":{"\\u0074oken":"abc","endpoint":"e","sessionId":"def","channelId":"1"}}'),
    '{"voice":{"token":"***","endpoint":"e","sessionId":"***","channelId":"1"}}',
  );
  t.equal(payload('[{"token":["abc"]}]'), '[{"token":"***"}]');
  t.equal(payload('{"voice":{"token":"abc"'), '(23 bytes that are no JSON)');
  t.equal(payload(JSON.stringify({ a: 'x'.repeat(70_000) })), '(70008 bytes)');
  t.end();
});
