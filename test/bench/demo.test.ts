// The demo in short, as a command: what it prints, writes and answers. Counts only; the milliseconds it prints
// are for people.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny';
import t, { type Test } from 'tap';
import { fixture } from '../support/fixtures.js';
import { runBench } from '../support/run-bench.js';
import { Origin } from '../support/origin.js';

const LIMIT = { timeout: 90_000 };

async function folder(t: Pick<Test, 'teardown'>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'pumice-demo-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

t.test('the demo writes a playable file of the right length, with nothing missing', LIMIT, async (t) => {
  const cwd = await folder(t);
  const { code, out, errors } = await runBench('demo', ['--seconds', '3'], cwd);
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
  const { code, out, errors } = await runBench(
    'demo',
    [origin.url('/song.mp3'), '--seconds', '2', '--out', 'x.ogg'],
    cwd,
  );
  t.equal(code, 0, errors);
  t.match(out, /^missing\s+0$/m);
  t.ok((await readFile(join(cwd, 'x.ogg'))).length > 10_000);
});

t.test('the demo plays a local file to its end when that comes first', LIMIT, async (t) => {
  const cwd = await folder(t);
  await writeFile(join(cwd, 'short one.flac'), fixture('flac', 1).bytes);
  const { code, out, errors } = await runBench('demo', ['short one.flac', '--seconds', '5'], cwd);
  t.equal(code, 0, `${out}${errors}`);
  t.match(out, /^missing\s+0$/m);
  t.match(out, /^ended\s+the track itself, after 1\.\d\d s$/m);
});

t.test('the demo says what is wrong with what it cannot play', LIMIT, async (t) => {
  const cwd = await folder(t);
  const missing = await runBench('demo', ['no-such-file.mp3'], cwd);
  t.equal(missing.code, 1);
  t.match(missing.errors, 'no-such-file.mp3 is neither a URL nor a file');
  const text = await runBench('demo', [fileURLToPath(import.meta.url)], cwd);
  t.equal(text.code, 1);
  t.match(text.errors, 'PUM_FORMAT_UNKNOWN');
  const bound = await runBench('demo', ['--seconds', 'ten'], cwd);
  t.equal(bound.code, 1);
  t.match(bound.errors, /^--seconds takes a number/);
  const nowhere = await runBench('demo', ['--out', 'no/such/folder.ogg'], cwd);
  t.equal(nowhere.code, 1);
  t.match(nowhere.errors, 'cannot be written to');
});
