// What the comment header of an Ogg stream says, whatever strangers write into it.
import * as fc from 'fast-check';
import t from 'tap';
import { readOpusTags } from '../../src/audio/ogg-tags.js';
import { OggOpusContainer } from '../../src/audio/ogg-opus.js';
import { oggFile, opusPacket } from '../support/ogg-pages.js';
import { MemoryBytes } from './memory-bytes.js';
import { open } from './play.js';

const LIMIT = { timeout: 20_000 };
const MUSIC = Array.from({ length: 20 }, (_, n) => opusPacket(31, 1, 100, n));

t.test(
  'title, artist and ISRC are found under any spelling, and the first of each counts',
  LIMIT,
  async (t) => {
    const info = await infoOf(['title= Lava ', 'Title=No', 'aRtIsT=Größe', 'ISRC=ZZTST2600001']);
    t.match(info, { title: 'Lava', artist: 'Größe', isrc: 'ZZTST2600001' });
  },
);

t.test('strange names and values are no tags and do no harm', LIMIT, async (t) => {
  const strange = [
    '',
    '=',
    '=no name',
    'no sign',
    'VALUEOF=x',
    '__proto__=x',
    'TITLE=',
    'TITLE\0=x',
    '=TITLE=x',
  ];
  const long = `TITLE${'E'.repeat(1_000)}=x`;
  const broken = Buffer.concat([Buffer.from('ARTIST='), Buffer.from([0xff, 0xfe, 0x41])]);
  const info = await infoOf([...strange, long, broken, `ISRC=${'9'.repeat(100_000)}`]);
  t.equal(info.title, null);
  t.equal(info.artist, '\ufffd\ufffdA');
  t.ok(info.isrc !== null && info.isrc.length <= 4_096);
});

t.test('a cover of megabytes is stepped over, and tags in front of it are found', LIMIT, async (t) => {
  const cover = `METADATA_BLOCK_PICTURE=${'A'.repeat(6_000_000)}`;
  for (const live of [false, true]) {
    const bytes = new MemoryBytes(oggFile(MUSIC, { comments: ['TITLE=Behind it', cover, 'ARTIST=Lost'] }), {
      live,
    });
    const container = await open(bytes);
    t.ok(container instanceof OggOpusContainer);
    t.match(container.info, { title: 'Behind it', artist: null });
    if (!live) t.ok(bytes.fetched < 2_500_000, `${bytes.fetched} bytes`);
    const first = await (await container.packets(0)).next();
    t.strictSame(Buffer.from(first!.data), MUSIC[0]);
  }
});

t.test('any bytes behind the name give tags or none', LIMIT, async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      readOpusTags(Buffer.concat([Buffer.from('OpusTags'), bytes]));
    }),
    { numRuns: 300 },
  );
  const lying = Buffer.from('OpusTags\xff\xff\xff\x7f\x01\0\0\0', 'latin1');
  t.strictSame(readOpusTags(lying), { title: null, artist: null, isrc: null });
});

async function infoOf(comments: readonly (string | Uint8Array)[]) {
  return (await open(new MemoryBytes(oggFile(MUSIC, { comments })))).info;
}
