// Claims about the metrics page: it is in the format that scrapers demand, its families have the names and types
// of settings-and-metrics.md §6, its counters never go down and its series stay few.
import t from 'tap';
import { MP3_TOKEN, VOICE } from '../support/main-node.js';
import { readExposition, type Family } from '../support/exposition.js';
import { ask, Client, send, start } from '../support/running-server.js';

const LIMIT = { timeout: 20_000 };

/** Lavalink's own gauges, none with a label. */
const GAUGES = [
  'lavalink_players_total',
  'lavalink_playing_players_total',
  'lavalink_uptime_milliseconds',
  'lavalink_memory_free_bytes',
  'lavalink_memory_used_bytes',
  'lavalink_memory_allocated_bytes',
  'lavalink_memory_reservable_bytes',
  'lavalink_cpu_cores',
  'lavalink_cpu_system_load_percentage',
  'lavalink_cpu_lavalink_load_percentage',
];

t.test('the reader of the format is strict', LIMIT, (t) => {
  const head = '# HELP a b\n# TYPE a counter\n';
  t.equal(readExposition(`${head}a{x="1\\"2"} 3\n`).get('a')?.series.get('a{x="1\\"2"}'), 3);
  const bucket = '# HELP h b\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 3\nh_sum 1\n';
  t.ok(readExposition(`${bucket}h_count 3\n`));
  for (const wrong of [
    `${head}a 3`,
    `${head}b 3\n`,
    `${head}a 3\na 4\n`,
    `${head}a -3\n`,
    `${head}a{x=1} 3\n`,
    `${head}a{x="1",x="2"} 3\n`,
    `${head}a three\n`,
    `${head}${head}a 3\n`,
    '# TYPE a counter\na 3\n',
    '# HELP a b\na 3\n',
    'a 3\n',
    `${bucket}h_count 4\n`,
    `${bucket.replace('"1"} 2', '"1"} 4')}h_count 3\n`,
  ]) {
    t.throws(() => readExposition(wrong), wrong);
  }
  t.end();
});

t.test('a sender that finds rings empty is told from one that is late', LIMIT, async (t) => {
  const { origin, fleet } = await start(t, { 'metrics.prometheus.enabled': true });
  const report = {
    up: true,
    players: 0,
    restarts: 0,
    sent: 100,
    silence: 5,
    lateness: [0, 0, 0, 0, 0, 0, 0, 0, 3],
    maxLatenessMs: 500,
  };
  fleet.senderReports = [
    { ...report, sender: 0, missed: 7 },
    { ...report, sender: 1, missed: 0 },
  ];
  const { text } = await ask(
    origin,
    '/metrics?name[]=lavalink_sender_empty_total&name[]=lavalink_frame_lateness_seconds',
  );
  const families = readExposition(text);
  t.strictSame(
    [...(families.get('lavalink_sender_empty_total')?.series ?? [])],
    [
      ['lavalink_sender_empty_total{sender="snd0"}', 7],
      ['lavalink_sender_empty_total{sender="snd1"}', 0],
    ],
  );
  t.equal(families.get('lavalink_sender_empty_total')?.type, 'counter');
  const late = families.get('lavalink_frame_lateness_seconds')?.series;
  for (const sender of ['snd0', 'snd1']) {
    const all = late?.get(`lavalink_frame_lateness_seconds_count{sender="${sender}"}`) ?? NaN;
    const within = late?.get(`lavalink_frame_lateness_seconds_bucket{sender="${sender}",le="0.4"}`) ?? NaN;
    t.equal(all - within, 3);
  }
});

t.test('every scrape is in the format, and no counter goes down', LIMIT, async (t) => {
  const { origin, fleet } = await start(t, { 'metrics.prometheus.enabled': true });
  const scrape = async (): Promise<Map<string, Family>> => {
    const { status, headers, text } = await ask(origin, '/metrics');
    t.equal(status, 200);
    t.equal(headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    return readExposition(text);
  };
  const first = await scrape();
  const client = new Client(origin, { 'Client-Name': 'quoted "name"\\/1' });
  const session = await client.session();
  for (let guild = 1; guild <= 30; guild++) {
    const path = `/v4/sessions/${session}/players/${String(guild)}`;
    await send(origin, 'PATCH', path, { voice: VOICE, encodedTrack: MP3_TOKEN });
    fleet.end(`${session}:${String(guild)}`, 'finished');
    await ask(origin, `/v4/no/such"path\\/${String(guild)}`);
  }
  const second = await scrape();
  for (const name of GAUGES) {
    t.equal(second.get(name)?.type, 'gauge', name);
    t.strictSame([...(second.get(name)?.series.keys() ?? [])], [name]);
  }
  t.equal(second.get('lavalink_players_total')?.series.get('lavalink_players_total'), 30);
  for (const [name, { type }] of second) {
    if (name.startsWith('lavalink_') && type === 'counter') t.match(name, /_total$/);
  }
  let series = 0;
  for (const family of second.values()) series += family.series.size;
  t.ok(series < 400, `${String(series)} series`);
  for (const [name, { type, series }] of first) {
    if (type !== 'counter' && type !== 'histogram') continue;
    for (const [key, before] of series) {
      if (key.includes('_sum')) continue;
      t.ok((second.get(name)?.series.get(key) ?? -1) >= before, key);
    }
  }
  const one = await ask(
    origin,
    '/metrics?name[]=lavalink_cpu_cores&name[]=lavalink_frame_lateness_seconds&name[]=no',
  );
  t.strictSame([...readExposition(one.text).keys()].sort(), [
    'lavalink_cpu_cores',
    'lavalink_frame_lateness_seconds',
  ]);
  client.socket.terminate();
});
