// An HTTP origin in a process of its own, so that serving is not counted as playing: every file of the folder
// in argv[2], by name. Ends with its parent.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Origin } from '../test/support/origin.js';

const folder = process.argv[2] ?? '.';
const origin = await Origin.start();
for (const name of await readdir(folder)) {
  const contentType = name.endsWith('.mp3') ? 'audio/mpeg' : 'audio/ogg';
  origin.file(`/${name}`, { body: await readFile(join(folder, name)), contentType });
}
process.on('disconnect', () => process.exit(0));
process.send?.(origin.port);
