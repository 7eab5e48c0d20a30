// The lint rules of the house (CONTRIBUTING.md): type-aware for everything TypeScript, plain for the scripts.
// Which file may import what is checked by .dependency-cruiser.cjs instead; here stand the rules about single
// calls: clocks, synchronous file, crypto and zlib work, console, process.

import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const CLOCK = 'Time is injected: only src/shared/clock.ts reads a clock or starts a timer.';
const SYNC = 'Synchronous file, crypto and zlib calls stop every player of the thread.';
const PROCESS = 'Only src/main/index.ts handles signals and ends the process.';
const ENVIRONMENT = 'Only src/main/config.ts (and the entry before it) reads the environment.';

const TIMER_NAMES = ['setTimeout', 'setInterval', 'setImmediate', 'performance'];

const restrict = {
  timers: TIMER_NAMES.map((name) => ({ name, message: CLOCK })),
  clockProperties: [
    { object: 'Date', property: 'now', message: CLOCK },
    { object: 'process', property: 'hrtime', message: CLOCK },
    { object: 'process', property: 'uptime', message: CLOCK },
    ...TIMER_NAMES.map((property) => ({ object: 'globalThis', property, message: CLOCK })),
  ],
  processProperties: ['on', 'once', 'exit', 'exitCode', 'abort', 'kill'].map((property) => ({
    object: 'process',
    property,
    message: PROCESS,
  })),
  environmentProperties: [{ object: 'process', property: 'env', message: ENVIRONMENT }],
  clockSyntax: [{ selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: CLOCK }],
  syncSyntax: [
    {
      selector:
        'CallExpression[callee.object.name=/^(fs|crypto|zlib|childProcess)$/][callee.property.name=/Sync$/]',
      message: SYNC,
    },
  ],
  clockImports: [
    { regex: '^(node:)?timers(/promises)?$', message: CLOCK },
    { regex: '^(node:)?perf_hooks$', importNames: ['performance'], message: CLOCK },
  ],
  syncImports: [
    { regex: '^(node:)?(fs|crypto|zlib|child_process)$', importNamePattern: 'Sync$', message: SYNC },
  ],
};

/** Files outside the request and frame paths: they run once, before the server serves. */
const START_UP = [
  'src/main/config*.ts',
  'src/main/start.cts',
  'src/main/index.ts',
  'src/shared/thread-name.ts',
  'src/shared/thread-priority.ts',
];
const ENTRIES = ['src/shard/entry.ts', 'src/shard/*-entry.ts', 'src/shard/sender/entry.ts'];

const GRAB_BAG = /^(utils?|helpers?|misc|types?|common|shared|lib|stuff|functions)$/;

/** The rules of the house that no plugin has. */
const house = {
  rules: {
    'file-header': {
      meta: { type: 'suggestion', schema: [] },
      create(context) {
        return {
          Program(node) {
            const { sourceCode } = context;
            const first = sourceCode.ast.tokens[0];
            const end = first === undefined ? sourceCode.lines.length + 1 : first.loc.start.line;
            const lines = sourceCode
              .getAllComments()
              .filter((comment) => comment.loc.start.line < end)
              .filter((comment) => comment.type !== 'Shebang');
            const starts = lines[0]?.loc.start.line ?? Infinity;
            if (starts > 2) {
              context.report({
                node,
                message:
                  'A file begins with a comment: what it is, who calls it, on which thread, what it may not do.',
              });
            }
          },
        };
      },
    },
    'file-name': {
      meta: { type: 'suggestion', schema: [] },
      create(context) {
        return {
          Program(node) {
            const name = context.filename.replace(/^.*[\\/]/, '').replace(/(\.test)?\.c?ts$/, '');
            if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) {
              context.report({ node, message: `File names are kebab-case; '${name}' is not.` });
            }
            if (GRAB_BAG.test(name))
              context.report({ node, message: `'${name}' does not say what is in the file.` });
          },
        };
      },
    },
    'reason-for-disable': {
      meta: { type: 'suggestion', schema: [] },
      create(context) {
        return {
          Program() {
            for (const comment of context.sourceCode.getAllComments()) {
              const disables = /^\s*(eslint-disable|@ts-(ignore|nocheck))/.test(comment.value);
              if (disables && !/ (--|:) \S/.test(comment.value)) {
                context.report({ loc: comment.loc, message: 'Say why after " -- ".' });
              }
            }
          },
        };
      },
    },
  },
};

export default defineConfig(
  { ignores: ['dist/', 'dist-*/', '.tap/', 'node_modules/', 'state/', 'logs/', 'media/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },

  {
    files: ['**/*.{js,mjs,cjs}'],
    extends: [eslint.configs.recommended],
    languageOptions: {
      ecmaVersion: 2023,
      globals: {
        Atomics: 'readonly',
        SharedArrayBuffer: 'readonly',
        URL: 'readonly',
        console: 'readonly',
        module: 'writable',
        process: 'readonly',
        require: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
      },
    },
  },

  {
    files: ['{src,test,bench}/**/*.{ts,cts}'],
    extends: [
      eslint.configs.recommended,
      tseslint.configs.strictTypeChecked,
      tseslint.configs.stylisticTypeChecked,
    ],
    plugins: { house },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'house/file-name': 'error',
      'house/reason-for-disable': 'error',
      'max-lines': ['error', { max: 400 }],
      'no-restricted-exports': [
        'error',
        {
          restrictDefaultExports: {
            direct: true,
            named: true,
            defaultFrom: true,
            namedFrom: true,
            namespaceFrom: true,
          },
        },
      ],
      eqeqeq: 'error',
      'no-eval': 'error',
      'no-implied-eval': 'off', // The typed twin below does it.
      'no-new-func': 'error',
      'prefer-const': 'error',
      'object-shorthand': 'error',
      'no-async-promise-executor': 'error',

      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false },
      ],
      // `typeof import('…')` types a module that is loaded only where it exists.
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/consistent-type-exports': 'error',

      // Numbers and booleans in a message are what one wants to read there.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // `cancel: () => clearTimeout(handle)` is how a one-line callback is written here.
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // `type` for data and unions, `interface` for shapes: both are in use.
      '@typescript-eslint/consistent-type-definitions': 'off',
      // `Record<never, never>` is how an empty body of a message is written.
      '@typescript-eslint/no-generated-empty-object-type': 'off',
      // 8.73 overflows the stack on a type that contains itself.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      // What was caught, or is the reason of a signal, is passed on as it is.
      '@typescript-eslint/prefer-promise-reject-errors': [
        'error',
        { allowThrowingUnknown: true, allowThrowingAny: true },
      ],
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true }],
      // An iterator a frame is an allocation a frame.
      '@typescript-eslint/prefer-for-of': 'off',
      // The entry is CommonJS, and `import fs = require('node:fs')` is how TypeScript writes that.
      '@typescript-eslint/no-require-imports': ['error', { allowAsImport: true }],
      // An interface may be asynchronous where one of its implementations is not.
      '@typescript-eslint/require-await': 'off',
      // `a || b` on strings means "unless empty".
      '@typescript-eslint/prefer-nullish-coalescing': [
        'error',
        { ignorePrimitives: { string: true, boolean: true, number: true, bigint: false } },
      ],
      // Empty on purpose needs a comment inside, which the rule accepts; stubs of tests are methods.
      '@typescript-eslint/no-empty-function': ['error', { allow: ['arrowFunctions', 'methods'] }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // The compiler's noPropertyAccessFromIndexSignature asks for the opposite.
      '@typescript-eslint/dot-notation': 'off',
      // Wrong about groups of a regular expression and about state that another turn of the loop has changed.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // `a === null || a.b !== c` says what it means.
      '@typescript-eslint/prefer-optional-chain': 'off',
    },
  },

  {
    files: ['src/**/*.{ts,cts}'],
    rules: {
      'house/file-header': 'error',
      'max-classes-per-file': ['error', 1],
      'no-console': 'error',
      'no-restricted-globals': ['error', ...restrict.timers],
      'no-restricted-properties': [
        'error',
        ...restrict.clockProperties,
        ...restrict.processProperties,
        ...restrict.environmentProperties,
      ],
      'no-restricted-syntax': ['error', ...restrict.clockSyntax, ...restrict.syncSyntax],
      'no-restricted-imports': 'off',
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { patterns: [...restrict.clockImports, ...restrict.syncImports] },
      ],
    },
  },
  {
    files: ['src/shared/clock.ts'],
    rules: {
      'no-restricted-globals': 'off',
      'no-restricted-properties': 'off',
      'no-restricted-syntax': 'off',
    },
  },
  {
    files: START_UP,
    rules: {
      'no-restricted-syntax': ['error', ...restrict.clockSyntax],
      'no-restricted-properties': ['error', ...restrict.clockProperties],
      '@typescript-eslint/no-restricted-imports': ['error', { patterns: restrict.clockImports }],
    },
  },
  {
    // /proc and /sys answer from memory.
    files: ['src/main/machine.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns: restrict.clockImports }] },
  },
  {
    files: ['src/main/log.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    // An error that came over a port is a ServerError with causes of its own; nobody else makes one.
    files: ['src/shared/errors.ts'],
    rules: { 'max-classes-per-file': ['error', 2] },
  },
  {
    // What a thread pool loads: it calls the default export.
    files: ENTRIES,
    rules: { 'no-restricted-exports': 'off' },
  },

  {
    files: ['{test,bench}/**/*.ts'],
    rules: {
      'house/file-header': 'error',
      'no-console': 'off',
      // tap itself waits for a subtest and reports its failure.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafePromises: [
            { from: 'package', name: 'PromiseWithSubtest', package: '@tapjs/core' },
          ],
        },
      ],
      // A test says what it knows: that an element is there, that a body has a shape.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
    },
  },
);
