// An HTTP origin in a process of its own, so that serving is not counted as playing: `/N.FORMAT` for every N
// below argv[4] from the first argv[5] tracks in the folder argv[2]. Forked by the benches; ends with its parent.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Origin } from '../test/support/origin.js';

const [, , folder = '.', format = 'opus', count = '0', contents = '1'] = process.argv;
const contentType = format === 'mp3' ? 'audio/mpeg' : 'audio/ogg';
const bodies = new Map<number, Buffer>();
const origin = await Origin.start();
for (let n = 0; n < Number(count); n++) {
  const content = n % Number(contents);
  const body = bodies.get(content) ?? (await readFile(join(folder, `${String(content)}.${format}`)));
  bodies.set(content, body);
  origin.file(`/${String(n)}.${format}`, { body, contentType });
}
process.on('disconnect', () => process.exit(0));
process.send?.(origin.port);
