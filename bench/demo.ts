// `npm run demo [-- FILE_OR_URL] [--seconds N] [--out FILE]`: the whole path on one machine. Starts the server,
// a fake voice server with a listener (end-to-end encrypted) and an unmodified Shoukaku client, plays, and
// writes what the listener heard as an Ogg file.
import { access, constants, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { FakeVoiceProcess } from '../test/support/fake-voice-process.js';
import { tune } from '../test/support/fixtures.js';
import { Origin } from '../test/support/origin.js';
import { PumiceProcess, TEST_PASSWORD } from '../test/support/pumice-process.js';
import { PlayerEvents } from '../test/support/player-events.js';
import { ShoukakuBot } from '../test/support/shoukaku-bot.js';
import { heardIn } from './heard.js';
import { cpuOf, pssOf } from './process-usage.js';

const GUILD = '300000000000000001';
const FRAMES_PER_SECOND = 50;

/** Seconds of sound that the file may be off: the five frames of silence at the end, and those under way. */
const LENGTH_OFF = 0.25;

const { values, positionals } = options();
const seconds = Number(values.seconds);
if (!(seconds >= 1 && seconds <= 600)) fail(`--seconds takes a number from 1 to 600, not ${values.seconds}`);
if (positionals.length > 1) fail('the demo plays one file or URL');
const out = resolve(values.out);
await access(dirname(out), constants.W_OK).catch(() => fail(`${dirname(out)} cannot be written to`));

/** What to play, and the configuration it needs. */
interface Programme {
  readonly identifier: string;
  readonly config: Record<string, unknown>;
}

const origin = await Origin.start();
const programme = await choose(positionals[0]);
const voice = await FakeVoiceProcess.start();
const server = await PumiceProcess.start({ ca: voice.certificate.cert, config: programme.config });
try {
  await play();
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  await server.stop();
  await voice.stop();
  await origin.close();
}

async function play(): Promise<void> {
  const bot = await ShoukakuBot.connect({
    port: server.port,
    password: TEST_PASSWORD,
    voiceEndpoint: voice.endpoint,
  });
  const encoded = await bot.load(programme.identifier).catch(() => whyNot(programme.identifier));
  await voice.addListener(GUILD);
  const player = await bot.join(GUILD);
  await voice.waitForDave(GUILD);
  const events = new PlayerEvents(player);
  const before = { cpu: await cpuOf(server.pid), at: performance.now() };
  await player.playTrack({ track: { encoded } });
  const frames = seconds * FRAMES_PER_SECOND;
  await Promise.race([
    voice.waitForFrames(GUILD, frames, (seconds + 15) * 1_000),
    events.wait('end', 1, (seconds + 15) * 1_000),
  ]);
  const cpu = (await cpuOf(server.pid)).total - before.cpu.total;
  const wall = (performance.now() - before.at) / 1_000;
  const memory = await pssOf(server.pid);
  const ended = events.names.includes('end');
  if (!ended) await player.stopTrack();
  await voice.waitForSilence(GUILD);
  const report = await voice.report(GUILD);
  const written = await voice.writeOgg(GUILD, out);
  bot.close();
  const heard = await heardIn(out);
  if (!report) throw new Error('the voice server has heard nothing');

  const { lateness } = report;
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  print('track', decodeURIComponent(programme.identifier));
  print(
    'packets sent',
    `${String(report.packets - report.silenceFrames)} and ${String(report.silenceFrames)} of silence`,
  );
  print('missing', String(report.missing));
  print(
    'encrypted',
    `${String(report.daveFrames)} end-to-end (DAVE), ${String(report.undecrypted)} unreadable`,
  );
  print(
    'lateness',
    `p50 ${ms(lateness.p50)}, p99 ${ms(lateness.p99)}, max ${ms(lateness.max)} at the receiver`,
  );
  print('CPU', `${((100 * cpu) / wall).toFixed(1)} % of a core, all threads of the server`);
  print('memory', `${(memory / 1_048_576).toFixed(0)} MiB (proportional set size of the server)`);
  print(
    'written',
    `${values.out}: ${String(heard.packets)} packets, decoded to ${heard.seconds.toFixed(2)} s ` +
      `at ${heard.loudnessDb.toFixed(1)} dB`,
  );
  const faults = [...report.violations];
  const sounded = ((report.packets - report.silenceFrames) / FRAMES_PER_SECOND).toFixed(2);
  if (ended) print('ended', `the track itself, after ${sounded} s`);
  else if (Math.abs(heard.seconds - seconds) > LENGTH_OFF) {
    faults.push(`the file has ${heard.seconds.toFixed(2)} s, not ${String(seconds)}`);
  }
  if (heard.packets !== written.packets) faults.push(`${String(written.packets)} packets were written`);
  if (written.inserted > 0) faults.push(`${String(written.inserted)} gaps, silence in the file`);
  for (const fault of faults) print('FAULT', fault);
  if (faults.length > 0 || report.missing > 0) process.exitCode = 1;
}

function options() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        seconds: { type: 'string', default: '10' },
        out: { type: 'string', default: 'demo.ogg' },
      },
    });
  } catch (error) {
    return fail(
      `${(error as Error).message}\nusage: npm run demo [-- FILE_OR_URL] [--seconds N] [--out FILE]`,
    );
  }
}

async function choose(given: string | undefined): Promise<Programme> {
  if (given === undefined) {
    origin.file('/tune.opus', { body: tune(seconds + 2), contentType: 'audio/ogg' });
    return { identifier: origin.url('/tune.opus'), config: {} };
  }
  if (/^https?:\/\//i.test(given)) return { identifier: given, config: {} };
  const path = resolve(given);
  const found = await stat(path).catch(() => null);
  if (!found?.isFile()) fail(`${given} is neither a URL nor a file that can be read`);
  return {
    identifier: path,
    config: { 'lavalink.server.sources.local': true, 'pumice.sources.localRoot': dirname(path) },
  };
}

/** Why a track could not be loaded, in the server's own words. */
async function whyNot(identifier: string): Promise<never> {
  const url = `${server.origin}/v4/loadtracks?identifier=${encodeURIComponent(identifier)}`;
  const answer = await fetch(url, { headers: { Authorization: TEST_PASSWORD } });
  const loaded = (await answer.json()) as { loadType: string; data: { causeStackTrace?: string } | null };
  if (loaded.loadType === 'empty') throw new Error(`${identifier}: there is no such thing`);
  throw new Error(`${identifier} cannot be played:\n${loaded.data?.causeStackTrace ?? loaded.loadType}`);
}

function print(title: string, text: string): void {
  console.log(`${title.padEnd(13)} ${text}`);
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
