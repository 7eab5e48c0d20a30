// The node's own name: random, made once, kept in the state directory, so that a restarted node is the same
// one (architecture §8, seam 1). Called once at start on the main thread; the only file it reads or writes.
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ServerError } from '../shared/errors.js';

const FILE = 'node-id';
const FORM = /^[0-9a-f]{32}$/;
const BYTES = 16;

/** Reads or makes the id. Throws PUM_CONFIG_INVALID when the directory cannot be used. */
export async function loadNodeId(directory: string): Promise<string> {
  const path = join(directory, FILE);
  try {
    const present = await readIfThere(path);
    if (present !== null && FORM.test(present)) return present;
    const made = randomBytes(BYTES).toString('hex');
    await mkdir(directory, { recursive: true });
    // A rename is whole or not at all: a crash leaves no half id behind.
    const draft = `${path}.${made}`;
    await writeFile(draft, `${made}\n`, { mode: 0o600 });
    await rename(draft, path);
    return made;
  } catch (error) {
    const reason = `pumice.state.directory cannot be used: ${directory}`;
    throw new ServerError('PUM_CONFIG_INVALID', { reason }, error);
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
