// The import rules bite: in a small tree that breaks each of them once, `.dependency-cruiser.cjs` reports every
// broken rule and nothing of the permitted imports. Guards against a checker that looks at nothing and is
// content.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const root = fileURLToPath(new URL('../../', import.meta.url));

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
}

/** File → its text; the first block breaks a rule, the second may not. */
const WRONG: Readonly<Record<string, readonly [rule: string, text: string]>> = {
  'src/shared/reaches-up.ts': ['shared-imports-shared', "import '../audio/ok.js';"],
  'src/shared/packs.ts': ['adapter-msgpackr', "import { pack } from 'msgpackr';\nexport { pack };"],
  'src/audio/reaches-up.ts': [
    'audio-imports-shared',
    "import type { Ok } from '../shard/ok.js';\nexport type { Ok };",
  ],
  'src/audio/opens-a-file.ts': ['audio-is-pure', "import 'node:fs';"],
  'src/audio/probes.ts': [
    'adapter-mediabunny',
    "import type { Input } from 'mediabunny';\nexport type { Input };",
  ],
  'src/audio/encodes.ts': ['adapter-discordjs-opus', "import '@discordjs/opus';"],
  'src/audio/decodes.ts': ['adapter-node-av', "import 'node-av/lib';"],
  'src/shard/reaches-main.ts': ['shard-not-main', "import '../main/ok.js';"],
  'src/shard/reaches-sender.ts': ['shard-sees-sender-types', "import './sender/ok.js';"],
  'src/shard/opens-a-file.ts': ['shard-files-in-one-place', "import 'node:fs/promises';"],
  'src/shard/fetches.ts': ['adapter-undici', "import 'undici';"],
  'src/shard/resolves.ts': ['node-dns', "import { lookup } from 'node:dns';\nexport { lookup };"],
  'src/shard/spawns.ts': ['node-child-process', "import 'node:child_process';"],
  'src/shard/sender/reaches-shard.ts': ['sender-imports-shared', "import '../ok.js';"],
  'src/shard/voice/sends.ts': [
    'node-dgram',
    "import { createSocket } from 'node:dgram';\nexport { createSocket };",
  ],
  'src/shard/voice/opens-a-socket.ts': ['adapter-ws', "import 'ws';"],
  'src/shard/voice/agrees.ts': ['adapter-snazzah-davey', "import '@snazzah/davey';"],
  'src/shard/voice/joins.ts': ['adapter-discordjs-voice', "import '@discordjs/voice';"],
  'src/shard/source/asks-ffmpeg.ts': ['adapter-prism-media', "import 'prism-media';"],
  'src/main/reaches-audio.ts': ['main-imports-shared', "import '../audio/ok.js';"],
  'src/main/reaches-shard.ts': [
    'main-imports-shared',
    "import type { Ok } from '../shard/ok.js';\nexport type { Ok };",
  ],
  'src/main/http/serves.ts': ['adapter-uwebsockets-js', "import 'uWebSockets.js';"],
  'src/main/http/listens.ts': [
    'node-http',
    "import { createServer } from 'node:http';\nexport { createServer };",
  ],
  'src/main/pools.ts': ['adapter-piscina', "import 'piscina';"],
  'src/main/counts.ts': ['adapter-prom-client', "import 'prom-client';"],
  'src/main/parses.ts': ['adapter-yaml', "import 'yaml';"],
  'src/main/starts-a-thread.ts': [
    'node-worker-threads',
    "import { Worker } from 'node:worker_threads';\nexport { Worker };",
  ],
  'src/main/takes-a-stranger.ts': ['package-without-adapter', "import 'fast-check';"],
  'src/main/imports-a-test.ts': ['product-imports-no-tests', "import '../../test/ok.js';"],
  'src/main/misses.ts': ['no-unresolvable', "import './not-there.js';"],
  'src/main/circle-a.ts': ['no-circular', "import { b } from './circle-b.js';\nexport const a = () => b;"],
};

const RIGHT: Readonly<Record<string, string>> = {
  'src/shared/ok.ts': 'export type Ok = 1;',
  'src/shared/channel.ts': "import 'msgpackr';\nimport 'node:worker_threads';",
  'src/audio/ok.ts': "import '../shared/ok.js';",
  'src/audio/opus.ts': "import '@discordjs/opus';",
  'src/audio/decode.ts': "import 'node-av/lib';",
  'src/shard/ok.ts': "import '../audio/ok.js';\nexport type { Ok } from '../shared/ok.js';",
  'src/shard/knows-a-message.ts': "import type { Ok } from './sender/ok.js';\nexport type { Ok };",
  'src/shard/knows-a-port.ts':
    "import type { MessagePort } from 'node:worker_threads';\nexport type { MessagePort };",
  'src/shard/entry.ts': "import 'node:worker_threads';",
  'src/shard/create-driver.ts': "import './sender/ok.js';",
  'src/shard/sender/ok.ts': "export type { Ok } from '../../shared/ok.js';",
  'src/shard/sender/udp.ts': "import 'node:dgram';",
  'src/shard/source/guard.ts': "import 'node:dns/promises';",
  'src/shard/source/http.ts': "import 'undici';",
  'src/shard/voice/gateway.ts': "import 'ws';",
  'src/main/ok.ts': "import '../shared/ok.js';",
  'src/main/http/engine-uws.ts': "import 'uWebSockets.js';",
  'src/main/http/engine-node.ts': "import 'node:http';\nimport 'ws';",
  'src/main/dispatch/pool.ts': "import 'piscina';\nimport 'node:worker_threads';",
  // A circle is reported once, from where it was entered.
  'src/main/circle-b.ts': "import { a } from './circle-a.js';\nexport const b = () => a;",
  'src/main/type-circle-a.ts':
    "import { b } from './type-circle-b.js';\nexport type A = 1;\nexport const a = b;",
  'src/main/type-circle-b.ts': "import type { A } from './type-circle-a.js';\nexport const b: A = 1;",
  'test/ok.ts':
    "import '../src/main/ok.js';\nimport '../src/audio/ok.js';\nimport 'undici';\nimport 'node:dgram';",
};

t.test('a tree of wrong imports', { timeout: 60_000 }, async (t) => {
  const texts = Object.entries(WRONG).map(([file, [, text]]) => [file, text] as const);
  const tree = t.testdir(
    nested([...texts, ...Object.entries(RIGHT), ['tsconfig.json', '{}'], ['package.json', '{}']]),
  );
  const violations = await cruise(tree);

  await t.test('every rule that is broken is reported by its name', async (t) => {
    for (const [file, [rule]] of Object.entries(WRONG)) {
      const found = violations.filter((violation) => violation.from === file).map(({ rule }) => rule.name);
      t.ok(found.includes(rule), `${file} breaks ${rule}`, { found });
    }
  });

  await t.test('what the tables permit is not reported', async (t) => {
    const reported = violations.filter((violation) => Object.hasOwn(RIGHT, violation.from));
    t.strictSame(reported, []);
  });
});

async function cruise(folder: string): Promise<readonly Violation[]> {
  const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const config = join(root, '.dependency-cruiser.cjs');
  const args = [cruiser, 'src', 'test', '--config', config, '--output-type', 'json'];
  const text = await new Promise<string>((resolve, reject) => {
    execFile(
      process.execPath,
      args,
      { cwd: folder, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        // The tool's exit code tells how many rules were broken; a run that failed printed no result.
        if (stdout.startsWith('{')) resolve(stdout);
        else reject(new Error(stderr, { cause: error }));
      },
    );
  });
  return (JSON.parse(text) as { summary: { violations: Violation[] } }).summary.violations;
}

interface Folder {
  [name: string]: Folder | string;
}

function nested(files: readonly (readonly [file: string, text: string])[]): Folder {
  const top: Folder = {};
  for (const [file, text] of files) {
    const parts = file.split('/');
    const name = parts.pop() ?? file;
    let folder = top;
    for (const part of parts) folder = (folder[part] ??= {}) as Folder;
    folder[name] = `${text}\n`;
  }
  return top;
}
