// The configuration of this process: the only file that reads configuration files and the environment. Called
// by index.ts at start and at a reload, on the main thread, synchronously; prints nothing and never exits.
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { ServerError } from '../shared/errors.js';
import type { ConfigValues } from '../shared/config.js';
import { HELP, readArguments } from './config/arguments.js';
import type { Arguments } from './config/arguments.js';
import { readEnvironment } from './config/environment.js';
import { readPropertyArguments } from './config/flat.js';
import { readFiles } from './config/layers.js';
import { lookUpFlat, lookUpMap } from './config/lookup.js';
import { Findings } from './config/findings.js';
import type { Notice } from './config/findings.js';
import type { Layer } from './config/raw.js';
import { noticeLine, printedConfig, problemLine, validationReport } from './config/report.js';
import { resolveLayers } from './config/resolve.js';
import { applyRules } from './config/rules.js';
import { readYaml } from './config/yaml.js';

export type { Notice } from './config/findings.js';
export { noticeLine };

/** What start-up is to do: run with the values, or print and exit. 78 is a refused configuration. */
export type ConfigOutcome =
  | { readonly kind: 'run'; readonly values: ConfigValues; readonly notices: readonly Notice[] }
  | {
      readonly kind: 'exit';
      readonly code: 0 | 78;
      readonly stdout: readonly string[];
      readonly stderr: readonly string[];
    };

/** Bytes of one configuration file. */
const MAX_FILE = 1024 * 1024;

/** Reads every layer of settings-and-metrics.md §1.1. `argv` is without the program's own name. */
export function loadConfig(
  argv: readonly string[] = process.argv.slice(2),
  env: NodeJS.ProcessEnv = process.env,
  cwd: string = process.cwd(),
): ConfigOutcome {
  const findings = new Findings();
  const options = readArguments(argv, findings);
  if (options.help) return exit(0, HELP, []);
  if (options.version) return exit(0, [`Pumice ${ownVersion()} (Lavalink protocol v4)`], []);

  const above = layersAboveFiles(options, env, cwd, findings);
  const files = readFiles(namedFile(options, env), above, {
    cwd,
    environment: env,
    read: readIfThere,
    findings,
  });
  if (files.files.length === 0 && findings.problems.length === 0) {
    findings.notice(
      'warning',
      cwd,
      '',
      'no configuration file was found; defaults and the environment are used',
    );
  }
  const draft = resolveLayers([...above, ...files.layers], env, findings);
  applyRules(draft, files.files, findings);

  if (options.validate) return { kind: 'exit', ...validationReport(draft, findings, options.strict) };
  if (findings.problems.length > 0) return exit(78, [], findings.problems.map(problemLine));
  if (options.print) return exit(0, printedConfig(draft), []);
  return { kind: 'run', values: draft.values, notices: findings.notices };
}

const exit = (code: 0 | 78, stdout: readonly string[], stderr: readonly string[]): ConfigOutcome => ({
  kind: 'exit',
  code,
  stdout,
  stderr,
});

function layersAboveFiles(
  options: Arguments,
  env: NodeJS.ProcessEnv,
  cwd: string,
  findings: Findings,
): readonly Layer[] {
  const commandLine = lookUpFlat(readPropertyArguments(options.properties), findings);
  const name = 'SPRING_APPLICATION_JSON';
  const documents = readYaml(env[name] ?? '', name, findings);
  const json = documents.flatMap((map) => lookUpMap(map, findings));
  const environment = readEnvironment(env, (file) => readSecret(resolve(cwd, file)), findings);
  return [
    { label: 'command line', kind: 'command line', givens: commandLine },
    { label: name, kind: 'json', givens: json },
    { label: 'environment', kind: 'environment', givens: environment },
  ];
}

function namedFile(options: Arguments, env: NodeJS.ProcessEnv): { file: string; by: string } | null {
  if (options.file !== null) return { file: options.file, by: '--config' };
  const variable = env['PUMICE_CONFIG'] ?? '';
  return variable === '' ? null : { file: variable, by: 'environment variable PUMICE_CONFIG' };
}

/** The text of a file, or null where there is none; throws PUM_CONFIG_INVALID where it cannot be read. */
function readIfThere(path: string): string | null {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return null;
  if (!stats.isFile()) throw new ServerError('PUM_CONFIG_INVALID', { reason: 'is not a file' });
  if (stats.size > MAX_FILE) {
    throw new ServerError('PUM_CONFIG_INVALID', { reason: `is larger than ${MAX_FILE} bytes` });
  }
  return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
}

function readSecret(path: string): string {
  const text = readIfThere(path);
  if (text === null) throw new ServerError('PUM_CONFIG_INVALID', { reason: 'it does not exist' });
  return text;
}

/** From the package this file belongs to. */
function ownVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { readonly version?: unknown };
  return typeof version === 'string' ? version : 'unknown';
}
