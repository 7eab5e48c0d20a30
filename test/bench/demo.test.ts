// The demo and the capacity bench in short, as commands: what they print, write and answer. Counts only; the
// milliseconds they print are for people.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny';
import t, { type Test } from 'tap';
import { fixture } from '../support/fixtures.js';
import { Origin } from '../support/origin.js';

const LIMIT = { timeout: 90_000 };

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly errors: string;
}

function run(name: string, args: readonly string[], cwd: string): Promise<Ended> {
  const entry = fileURLToPath(new URL(`../../bench/${name}.js`, import.meta.url));
  const child = spawn(process.execPath, [entry, ...args], {
    cwd,
    timeout: 80_000,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  return new Promise((resolve) => {
    child.once('close', (code) => {
      resolve({ code, out, errors });
    });
  });
}

async function folder(t: Pick<Test, 'teardown'>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'pumice-demo-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

t.test('the demo writes a playable file of the right length, with nothing missing', LIMIT, async (t) => {
  const cwd = await folder(t);
  const { code, out, errors } = await run('demo', ['--seconds', '3'], cwd);
  t.equal(code, 0, errors);
  const packets = Number(/^packets sent\s+(\d+)/m.exec(out)?.[1]);
  t.ok(Math.abs(packets - 150) <= 5, out);
  t.match(out, /^missing\s+0$/m);
  t.match(out, /^encrypted\s+\d+ end-to-end \(DAVE\), 0 unreadable$/m);
  t.match(out, /^lateness\s+p50 .* p99 .* max /m);
  t.match(out, /^CPU\s/m);
  t.match(out, /^memory\s/m);
  const input = new Input({
    source: new BufferSource(await readFile(join(cwd, 'demo.ogg'))),
    formats: ALL_FORMATS,
  });
  const seconds = await input.computeDuration();
  t.ok(Math.abs(seconds - 3.1) < 0.15, `${seconds.toFixed(2)} s, five frames of silence included`);
  const track = await input.getPrimaryAudioTrack();
  if (!track) throw new Error('no audio in demo.ogg');
  let count = 0;
  for await (const packet of new EncodedPacketSink(track).packets()) count += packet.data.length > 0 ? 1 : 0;
  t.ok(Math.abs(count - 155) <= 5, `${String(count)} packets in the file`);
});

t.test('the demo plays a URL', LIMIT, async (t) => {
  const cwd = await folder(t);
  const origin = await Origin.start();
  t.teardown(() => origin.close());
  const { bytes, contentType } = fixture('mp3', 4);
  origin.file('/song.mp3', { body: bytes, contentType });
  const { code, out, errors } = await run(
    'demo',
    [origin.url('/song.mp3'), '--seconds', '2', '--out', 'x.ogg'],
    cwd,
  );
  t.equal(code, 0, errors);
  t.match(out, /^missing\s+0$/m);
  t.ok((await readFile(join(cwd, 'x.ogg'))).length > 10_000);
});

t.test('the demo says what is wrong with what it cannot play', LIMIT, async (t) => {
  const cwd = await folder(t);
  const missing = await run('demo', ['no-such-file.mp3'], cwd);
  t.equal(missing.code, 1);
  t.match(missing.errors, 'no-such-file.mp3 is neither a URL nor a file');
  const text = await run('demo', [fileURLToPath(import.meta.url)], cwd);
  t.equal(text.code, 1);
  t.match(text.errors, 'PUM_FORMAT_UNKNOWN');
});
