// Claims about the log: two forms, levels by name, no secrets, no floods.
import t from 'tap';
import { createLog, type LogOptions } from '../../src/main/log.js';
import { ManualClock } from '../support/manual-clock.js';

function logTo(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const clock = new ManualClock(0, 0);
  const log = createLog({
    clock,
    format: 'auto',
    terminal: true,
    level: 'INFO',
    levels: {},
    secrets: [],
    write: (line) => lines.push(line),
    ...options,
  });
  return { log, lines, clock };
}

t.test('plain on a terminal, one JSON object a line elsewhere', { timeout: 10_000 }, (t) => {
  const plain = logTo();
  plain.log.info('listening', { port: 2333 });
  t.strictSame(plain.lines, ['1970-01-01T00:00:00.000Z INFO  pumice: listening port=2333']);
  const json = logTo({ terminal: false });
  json.log.child('http').warn('slow', { ms: 5 });
  t.strictSame(JSON.parse(json.lines[0] ?? ''), {
    time: '1970-01-01T00:00:00.000Z',
    level: 'WARN',
    logger: 'pumice.http',
    message: 'slow',
    ms: 5,
  });
  t.end();
});

t.test('the longest matching name decides the level', { timeout: 10_000 }, (t) => {
  const { log, lines } = logTo({
    level: 'OFF',
    levels: { pumice: 'warn', 'pumice.http': 'DEBUG', 'pumice.ht': 'OFF' },
  });
  log.info('no');
  log.child('https').info('no');
  log.child('http').debug('yes');
  log.warn('yes');
  t.equal(lines.length, 2);
  t.end();
});

t.test('secrets are masked wherever they stand, in both forms', { timeout: 10_000 }, (t) => {
  const secret = 'pass"word';
  for (const terminal of [true, false]) {
    const { log, lines } = logTo({ terminal, secrets: [secret, 'ab'] });
    log.info(`with ${secret} and ab`, { header: secret });
    t.notMatch(lines.join(), /pass|word/);
    t.match(lines.join(), /with \*\*\* and ab/);
  }
  t.end();
});

t.test('a client cannot begin a line of its own', { timeout: 10_000 }, (t) => {
  const { log, lines } = logTo();
  log.info('from\nclient\u2028', { name: 'a\r\nb\u001b[31m' });
  t.match(lines[0], /from\\u000aclient\\u2028 name=a\\u000d\\u000ab\\u001b\[31m$/);
  t.end();
});

t.test('the same warning comes once a second, with the number held back', { timeout: 10_000 }, (t) => {
  const { log, lines, clock } = logTo();
  for (let times = 0; times < 5; times++) log.warn('again');
  log.warn('another');
  t.equal(lines.length, 2);
  clock.advance(1_000);
  log.warn('again');
  t.match(lines[2], /again repeated=4$/);
  clock.advance(1_000);
  log.warn('again');
  t.match(lines[3], /again$/);
  for (let times = 0; times < 3; times++) log.info('plain news');
  t.equal(lines.length, 7, 'information is never held back');
  t.end();
});
