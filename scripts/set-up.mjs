// Brings a checkout to the state in which it can run: dependencies installed as the lock says, TypeScript
// compiled to dist/, outputs of deleted sources gone. Called by every other script, or by hand, before anything
// is installed, so it imports `node:` modules only. It is synchronous on purpose: scripts/start.cjs goes on in
// the same process, and an asynchronous file call would fix the size of libuv's pool before the server has.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the checkout, absolute. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const SOURCE_FOLDERS = ['src', 'test', 'bench'];
const INSTALL_STAMP = join(root, 'node_modules', '.pumice-lock-hash');
const BUILD_STAMP = join(root, 'dist', '.build-stamp.json');
const BUILD_INFO = join(root, 'dist', '.tsbuildinfo');
const LOCK = join(root, 'dist', '.set-up-lock');

/** A lock older than this belongs to nobody, whatever its process id says. */
const LOCK_TTL_MS = 30 * 60_000;
const LOCK_POLL_MS = 200;

/**
 * Installs and builds what is missing or stale; returns at once when nothing is. With `production`, changes
 * of tests and benches do not count, and the development packages may be absent while dist/ is fresh.
 * Exits the process with a message when a step fails.
 */
export function setUp({ production = false } = {}) {
  if (isInstalled({ production }) && isBuilt({ production })) return;
  withLock(() => {
    const mustBuild = !isBuilt({ production });
    if (!isInstalled({ production: production && !mustBuild })) install();
    if (mustBuild) build();
  });
}

/** Every TypeScript source under the folders, relative to the root, sorted. */
export function sourceFiles(folders = SOURCE_FOLDERS) {
  return folders.flatMap((folder) => filesUnder(folder)).filter((file) => /\.c?ts$/.test(file));
}

// Installing.

function lockHash() {
  // A native module is built for one ABI, so another major version of Node installs anew.
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .update(process.versions.modules)
    .digest('hex');
}

function isInstalled({ production }) {
  if (!existsSync(join(root, 'node_modules'))) return false;
  const stamp = readOrNull(INSTALL_STAMP)?.trim() ?? null;
  if (stamp !== null) return stamp === lockHash();
  // No stamp: somebody ran `npm ci` or `npm install` by hand. npm's own record says whether it fits.
  const fits = matchesHiddenLock({ production });
  if (fits && !production) writeStamp(INSTALL_STAMP, `${lockHash()}\n`);
  return fits;
}

function matchesHiddenLock({ production }) {
  const hidden = readOrNull(join(root, 'node_modules', '.package-lock.json'));
  if (hidden === null) return false;
  const installed = JSON.parse(hidden).packages;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    const found = installed[path];
    if (found !== undefined) return found.version === entry.version && found.integrity === entry.integrity;
    const absentIsFine = path === '' || entry.optional || entry.devOptional;
    return absentIsFine || (production && entry.dev);
  });
}

function install() {
  // --include=dev: with NODE_ENV=production npm would leave the compiler out.
  runQuietly('Installing dependencies (npm ci)', ...npm(), ['ci', '--include=dev']);
  writeStamp(INSTALL_STAMP, `${lockHash()}\n`);
}

function npm() {
  const cli = process.env.npm_execpath;
  return cli !== undefined && /npm-cli\.[cm]?js$/.test(cli) ? [process.execPath, [cli]] : ['npm', []];
}

// Building.

function isBuilt({ production }) {
  const stamp = readOrNull(BUILD_STAMP);
  if (stamp === null) return false;
  const wanted = fingerprints();
  let found;
  try {
    found = JSON.parse(stamp);
  } catch {
    return false; // Half written by a process that was killed.
  }
  const folders = production ? ['src'] : SOURCE_FOLDERS;
  return (
    folders.every((folder) => found[folder] === wanted[folder]) &&
    sourceFiles(folders).every((file) => existsSync(outputOf(file)))
  );
}

/** One hash a folder, over names and contents: a checkout sets times as it likes. */
function fingerprints() {
  const compiler = ['tsconfig.json', 'package-lock.json'].map((file) => readFileSync(join(root, file)));
  const entries = SOURCE_FOLDERS.map((folder) => {
    const hash = createHash('sha256');
    for (const content of compiler) hash.update(content);
    for (const file of sourceFiles([folder])) {
      hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
    }
    return [folder, hash.digest('hex')];
  });
  return Object.fromEntries(entries);
}

function build() {
  const before = fingerprints();
  // The compiler trusts its record of what it emitted, so the record goes when an output has gone.
  if (!sourceFiles().every((file) => existsSync(outputOf(file)))) rmSync(BUILD_INFO, { force: true });
  rmSync(BUILD_STAMP, { force: true });
  removeStaleOutputs();
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  runQuietly('Compiling TypeScript', process.execPath, [compiler], ['-p', '.', '--pretty', 'false']);
  writeStamp(BUILD_STAMP, `${JSON.stringify(before)}\n`);
}

/** An output whose source was deleted or renamed would still be run as a test or found as a worker. */
function removeStaleOutputs() {
  const wanted = new Set(sourceFiles().map((file) => outputOf(file)));
  for (const folder of SOURCE_FOLDERS) {
    for (const file of filesUnder(join('dist', folder))) {
      const output = join(root, file.replace(/\.map$/, ''));
      if (/\.c?js$/.test(output) && !wanted.has(output)) rmSync(join(root, file));
    }
  }
}

/** Absolute path of what the compiler makes of a source. */
export function outputOf(file) {
  return join(root, 'dist', file.replace(/\.ts$/, '.js').replace(/\.cts$/, '.cjs'));
}

// The lock: two runs at once (a test beside a server) must not install over each other.

function withLock(action) {
  mkdirSync(dirname(LOCK), { recursive: true });
  const giveUpAt = Date.now() + LOCK_TTL_MS;
  let told = false;
  while (!takeLock()) {
    if (!told) say('Waiting for another set-up of this checkout');
    told = true;
    if (Date.now() > giveUpAt)
      fail(`Another set-up still holds ${relative(root, LOCK)}; remove it and try again`);
    pause(LOCK_POLL_MS);
  }
  const release = () => rmSync(LOCK, { force: true });
  process.once('exit', release);
  try {
    action();
  } finally {
    process.removeListener('exit', release);
    release();
  }
}

function takeLock() {
  try {
    writeFileSync(LOCK, `${process.pid}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  if (!isAbandoned()) return false;
  try {
    unlinkSync(LOCK);
  } catch {
    // Somebody else removed it first; the next round decides who has it.
  }
  return false;
}

function isAbandoned() {
  try {
    if (Date.now() - statSync(LOCK).mtimeMs > LOCK_TTL_MS) return true;
    const pid = Number(readFileSync(LOCK, 'utf8'));
    if (!Number.isInteger(pid) || pid <= 0) return false; // Just being written.
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

function pause(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

// Small parts.

function runQuietly(title, command, leading, args) {
  say(`${title} …`);
  const result = spawnSync(command, [...leading, ...args], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (result.status === 0) return;
  process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`);
  fail(`${title} failed: ${result.error?.message ?? result.signal ?? `exit code ${result.status}`}`);
}

function filesUnder(folder) {
  const absolute = join(root, folder);
  if (!existsSync(absolute)) return [];
  return readdirSync(absolute, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

function readOrNull(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function writeStamp(file, text) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

// The server's standard output belongs to its log, so everything here goes to standard error.
function say(text) {
  process.stderr.write(`${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(1);
}

// Last, when everything above exists: `node scripts/set-up.mjs` only sets up.
if (process.argv[1] === fileURLToPath(import.meta.url)) setUp();
