// The real server in a process of its own, started as an operator would: a configuration file, one command,
// SIGTERM at the end. Its files lie in a temporary folder that goes with it.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';

export interface PumiceProcessOptions {
  /** Certificate (PEM) of the fake voice server, for pumice.voice.caFile. */
  readonly ca?: string;
  /** Further configuration, as the tree a file would hold. */
  readonly config?: Record<string, unknown>;
  /** Arguments for Node itself. */
  readonly execArgv?: readonly string[];
}

export const TEST_PASSWORD = 'a test password';

const START_CEILING_MS = 30_000;

export class PumiceProcess {
  readonly port: number;
  /** Every line it has printed. */
  readonly lines: string[];
  /** Milliseconds from the start of the process to its ready line. */
  readonly startMs: number;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, folder: string, lines: string[], port: number, startMs: number) {
    this.#child = child;
    this.#folder = folder;
    this.lines = lines;
    this.port = port;
    this.startMs = startMs;
  }

  /** Resolves when the ready line has been printed. */
  static async start(options: PumiceProcessOptions = {}): Promise<PumiceProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'pumice-test-'));
    const caFile = join(folder, 'ca.pem');
    if (options.ca !== undefined) await writeFile(caFile, options.ca);
    const tree = {
      'server.address': '127.0.0.1',
      'server.port': 0,
      'lavalink.server.password': TEST_PASSWORD,
      'pumice.state.directory': join(folder, 'state'),
      'pumice.sources.allowPrivate': ['127.0.0.1'],
      'pumice.voice.endpoints': ['127.0.0.1:*'],
      ...(options.ca === undefined ? {} : { 'pumice.voice.caFile': caFile }),
      'metrics.prometheus.enabled': true,
      'metrics.prometheus.endpoint': '/metrics',
      ...options.config,
    };
    const file = join(folder, 'application.yml');
    await writeFile(file, stringify(nested(tree)));
    const entry = fileURLToPath(new URL('../../src/main/start.cjs', import.meta.url));
    const began = performance.now();
    const child = spawn(process.execPath, [...(options.execArgv ?? []), entry, '--config', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const lines: string[] = [];
    const port = await readyPort(child, lines);
    return new PumiceProcess(child, folder, lines, port, performance.now() - began);
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Ends it with a signal; resolves with its exit code, null when it had to be killed. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', ceilingMs = 30_000): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const over = once(this.#child, 'exit');
      this.#child.kill(signal);
      const killer = setTimeout(() => this.#child.kill('SIGKILL'), ceilingMs);
      await over;
      clearTimeout(killer);
    }
    await rm(this.#folder, { recursive: true, force: true });
    return this.#child.exitCode;
  }
}

/** Resolves with the port of the ready line; rejects with what was printed when the process ends before. */
function readyPort(child: ChildProcess, lines: string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const ceiling = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`not ready in time:\n${lines.join('\n')}`));
    }, START_CEILING_MS);
    const read = (line: string): void => {
      lines.push(line);
      const port = /ready on https?:\/\/\S+:(\d+)/.exec(line)?.[1];
      if (port === undefined) return;
      clearTimeout(ceiling);
      resolve(Number(port));
    };
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', read);
    }
    child.once('exit', (code) => {
      clearTimeout(ceiling);
      reject(new Error(`ended with ${String(code)}:\n${lines.join('\n')}`));
    });
  });
}

/** A flat tree of dotted paths as the nested one of a file. */
function nested(flat: Record<string, unknown>): Record<string, unknown> {
  const tree: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(flat)) {
    const names = path.split('.');
    const last = names.pop() ?? path;
    let at = tree;
    for (const name of names) at = (at[name] ??= {}) as Record<string, unknown>;
    at[last] = value;
  }
  return tree;
}
