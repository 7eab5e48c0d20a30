// The command line: the server's own options and `--a.b=c` properties. Pure; main thread, at start.
import type { Findings } from './findings.js';

export interface Arguments {
  /** Of --config, or null. */
  readonly file: string | null;
  readonly validate: boolean;
  readonly strict: boolean;
  readonly print: boolean;
  readonly version: boolean;
  readonly help: boolean;
  readonly properties: readonly (readonly [key: string, value: string])[];
}

export const HELP: readonly string[] = [
  'Usage: pumice [--config FILE] [--KEY=VALUE ...] [OPTION]',
  '',
  '  --config FILE         the configuration file; else PUMICE_CONFIG, config/application.yml, application.yml',
  '  --KEY=VALUE           any key of the configuration, such as --server.port=2333',
  '  --validate            check the configuration, print what each key does, and exit (--check-config)',
  '  --strict              with --validate: keys that are limited or have no effect fail as well',
  '  --print-config        print the effective configuration with the layer of each value, and exit',
  '  --version, -v         print the version and exit',
  '  --help, -h            print this and exit',
  '',
  'Exit codes: 0 clean, 70 shards beyond repair, 78 configuration.',
];

export function readArguments(argv: readonly string[], findings: Findings): Arguments {
  const properties: (readonly [string, string])[] = [];
  const flags = new Set<string>();
  let file: string | null = null;
  for (let index = 0; index < argv.length; index += 1) {
    const argument = argv[index] ?? '';
    if (argument === '--config') {
      index += 1;
      file = argv[index] ?? '';
      if (file === '') findings.problem('command line', '--config', 'needs the name of a file');
    } else if (FLAGS.has(argument)) {
      flags.add(FLAGS.get(argument) ?? '');
    } else {
      const found = /^--([^=]+)=(.*)$/s.exec(argument);
      if (found?.[1] === 'config') file = found[2] ?? '';
      else if (found !== null) properties.push([found[1] ?? '', found[2] ?? '']);
      else findings.problem('command line', argument.split('=')[0] ?? '', unknownText(argument));
    }
  }
  return {
    file: file === '' ? null : file,
    validate: flags.has('validate'),
    strict: flags.has('strict'),
    print: flags.has('print'),
    version: flags.has('version'),
    help: flags.has('help'),
    properties,
  };
}

const FLAGS: ReadonlyMap<string, string> = new Map([
  ['--validate', 'validate'],
  ['--check-config', 'validate'],
  ['--strict', 'strict'],
  ['--print-config', 'print'],
  ['--version', 'version'],
  ['-v', 'version'],
  ['--help', 'help'],
  ['-h', 'help'],
]);

const unknownText = (argument: string): string =>
  argument.startsWith('--') ? 'is no option; a key needs a value, as in --KEY=VALUE' : 'is no option';
