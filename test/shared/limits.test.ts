// The ceilings are numbers a queue can be measured against, they fit each other, and docs/limits.md has them all.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import * as limits from '../../src/shared/limits.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

const rows = Object.entries(limits).flatMap(([group, values]) =>
  Object.entries(values as object).flatMap(([name, value]) =>
    [value as unknown].flat().map((one) => ({ group, name, value: one })),
  ),
);

t.test('every limit is a positive, finite number', { timeout: 10_000 }, (t) => {
  t.ok(rows.length > 30, `${rows.length} limits`);
  for (const { group, name, value } of rows) {
    t.ok(
      typeof value === 'number' && Number.isFinite(value) && value > 0,
      `${group}.${name} = ${String(value)}`,
    );
  }
  t.end();
});

t.test('docs/limits.md lists every limit once, group by group, and no other', { timeout: 10_000 }, (t) => {
  const documented: string[] = [];
  let group = '';
  for (const line of readFileSync(join(root, 'docs/limits.md'), 'utf8').split('\n')) {
    group = /^## (\w+)$/.exec(line)?.[1] ?? group;
    const name = /^\| `(\w+)` \|/.exec(line)?.[1];
    if (name !== undefined) documented.push(`${group}.${name}`);
  }
  const expected = [...new Set(rows.map(({ group, name }) => `${group}.${name}`))];
  t.strictSame(documented.sort(), expected.sort(), 'node scripts/docs-tables.mjs --write makes them equal');
  t.end();
});

t.test('a limit that lies inside another is the smaller one', { timeout: 10_000 }, (t) => {
  const { EDGE, DISPATCH, AUDIO, SOURCE, VOICE, PLAYBACK } = limits;
  t.ok(EDGE.commandDeadline < EDGE.requestDeadline, 'a command ends before its request');
  t.ok(EDGE.loadDeadline < EDGE.requestDeadline, 'a load ends before its request');
  t.ok(EDGE.maxMessage <= EDGE.maxOutbox, 'one message fits the outbox');
  t.ok(DISPATCH.maxInFlightPerSession < DISPATCH.maxInFlightPerShard, 'one session cannot fill a shard');
  t.equal(DISPATCH.restartDelays.length, DISPATCH.maxRestarts, 'every restart has its delay');
  t.ok(
    AUDIO.maxOpusPacket <= AUDIO.maxPacket && AUDIO.maxPacket <= AUDIO.maxWindowBytes,
    'packets fit the window',
  );
  t.ok(SOURCE.connectTimeout < EDGE.loadDeadline && SOURCE.firstByteTimeout < EDGE.loadDeadline);
  t.ok(VOICE.answerDeadline < VOICE.connectDeadline, 'a PATCH answers before voice gives up (D14)');
  t.ok(PLAYBACK.cleanupInterval < PLAYBACK.cleanupAfter);
  t.end();
});
