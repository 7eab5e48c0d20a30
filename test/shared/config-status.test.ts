// Claims about what the configuration table says of itself: a key that is said to be applied, wholly or in part,
// is read somewhere in the product, and one that is said to have no effect is not.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { CONFIG_PATHS, rowOf, type ConfigPath } from '../../src/shared/config.js';

const src = fileURLToPath(new URL('../../../src/', import.meta.url));

/** Code without comments, by file; the tables themselves are no reader of their keys. */
const sources = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.c?ts$/.test(file) && !/config-(?:keys-|row)/.test(file))
  .map((file) => ({
    file,
    text: readFileSync(join(src, file), 'utf8').replace(/^ *(?:\/\/|\*|\/\*).*$/gm, ''),
  }));

/** Names a file writes whole, or by a template whose last part is a name out of a list. */
function readers(path: ConfigPath): readonly string[] {
  const prefix = path.slice(0, path.lastIndexOf('.') + 1);
  return sources
    .filter(({ text }) => {
      return text.includes(`'${path}'`) || (prefix !== '' && text.includes(`\`${prefix}\${`));
    })
    .map(({ file }) => file);
}

/** The C library reads it, before the server starts. */
const ELSEWHERE: ReadonlySet<string> = new Set(['MALLOC_ARENA_MAX']);

t.test('a key that is applied is read', { timeout: 10_000 }, (t) => {
  const unread = CONFIG_PATHS.filter((path) => {
    const { status, refuse } = rowOf(path);
    return !status.startsWith('no effect') && refuse === undefined && readers(path).length === 0;
  });
  t.strictSame(
    unread.filter((path) => !ELSEWHERE.has(path)),
    [],
  );
  t.end();
});

t.test('a key without effect is not read', { timeout: 10_000 }, (t) => {
  // Its switches are read for names that only plugins have, and there are none.
  const asked = new Set<ConfigPath>(['lavalink.server.filters']);
  const read = CONFIG_PATHS.filter((path) => {
    return (
      rowOf(path).status.startsWith('no effect') &&
      sources.some(({ file, text }) => {
        // There it is at most compared with another key, for the report.
        return !file.startsWith('main/config/') && text.includes(`['${path}']`);
      })
    );
  });
  t.strictSame(
    read.filter((path) => !asked.has(path)),
    [],
  );
  t.end();
});
