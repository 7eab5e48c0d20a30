// IP discovery by a sender: retried, and deaf to everything but the one right answer (discord-voice.md §1.6,
// reliability.md case 39). Runs in the test process, on a clock that is moved by hand.

import fc from 'fast-check';
import t from 'tap';
import { SenderSetting } from './sender-setting.js';

const LIMIT = { timeout: 10_000 };

function answer(ssrc: number, address = '203.0.113.7', port = 40_321): Buffer {
  const bytes = Buffer.alloc(74);
  bytes.writeUInt32BE(0x0002_0046, 0);
  bytes.writeUInt32BE(ssrc, 4);
  bytes.write(address, 8, 'latin1');
  bytes.writeUInt16BE(port, 72);
  return bytes;
}

t.test('a request is 74 bytes, once a second until the answer has come', LIMIT, async (t) => {
  const s = new SenderSetting();
  s.control.discover(5, '127.0.0.1', 7_000, 0xdead_beef);
  s.advance(3_500);
  t.same(
    s.udp.sent.map(({ at }) => at),
    [1_000, 2_000, 3_000, 4_000],
  );
  for (const { bytes, address, port } of s.udp.sent) {
    t.equal(bytes.toString('hex'), `00010046deadbeef${'00'.repeat(66)}`);
    t.same([address, port], ['127.0.0.1', 7_000]);
  }
  s.udp.listener?.message(answer(0xdead_beef), '127.0.0.1', 7_000);
  t.same(s.told, [{ what: 'discovered', ring: 5, at: 4_500, place: '203.0.113.7:40321' }]);
  s.advance(10_000);
  t.equal(s.udp.sent.length, 4);
  s.udp.listener?.message(answer(0xdead_beef), '127.0.0.1', 7_000);
  t.equal(s.told.length, 1, 'a second answer is not told');
});

t.test('what is not the answer is ignored, and the tries go on', LIMIT, async (t) => {
  const s = new SenderSetting();
  s.control.discover(0, '127.0.0.1', 7_000, 77);
  s.advance(100);
  const right = answer(77);
  const wrongType = Buffer.from(right);
  wrongType.writeUInt16BE(1, 0);
  const wrongLength = Buffer.from(right);
  wrongLength.writeUInt16BE(71, 2);
  const unended = Buffer.from(right);
  unended.fill('1', 8, 72);
  const foreign: [string, Buffer, string, number][] = [
    ['the wrong type', wrongType, '127.0.0.1', 7_000],
    ['the wrong length inside', wrongLength, '127.0.0.1', 7_000],
    ['too short', right.subarray(0, 73), '127.0.0.1', 7_000],
    ['too long', Buffer.concat([right, Buffer.alloc(1)]), '127.0.0.1', 7_000],
    ['empty', Buffer.alloc(0), '127.0.0.1', 7_000],
    ['from another port', right, '127.0.0.1', 7_001],
    ['from another address', right, '127.0.0.2', 7_000],
    ['for another SSRC', answer(78), '127.0.0.1', 7_000],
    ['no address', answer(77, ''), '127.0.0.1', 7_000],
    ['an address that is none', answer(77, '<script>'), '127.0.0.1', 7_000],
    ['an address without end', unended, '127.0.0.1', 7_000],
    ['port 0', answer(77, '203.0.113.7', 0), '127.0.0.1', 7_000],
    ['a pong', Buffer.from('1337f00d00000001', 'hex'), '127.0.0.1', 7_000],
    ['RTP', Buffer.concat([Buffer.from([0x80, 0x78]), Buffer.alloc(72)]), '127.0.0.1', 7_000],
    ['RTCP', Buffer.concat([Buffer.from([0x80, 200]), Buffer.alloc(72)]), '127.0.0.1', 7_000],
  ];
  for (const [what, bytes, address, port] of foreign) {
    s.udp.listener?.message(bytes, address, port);
    t.same(s.told, [], what);
  }
  s.advance(1_000);
  t.equal(s.udp.sent.length, 2);
  s.udp.listener?.message(right, '127.0.0.1', 7_000);
  t.equal(s.told.length, 1);
});

t.test('no datagram at all makes it throw', { timeout: 30_000 }, async () => {
  const s = new SenderSetting();
  s.control.discover(0, '127.0.0.1', 7_000, 77);
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.uint8Array({ minLength: 66, maxLength: 66 }).map((rest) => {
          return Buffer.concat([answer(77).subarray(0, 8), rest]);
        }),
      ),
      (bytes) => {
        s.control.discover(0, '127.0.0.1', 7_000, 77);
        const before = s.told.length;
        s.udp.listener?.message(Buffer.from(bytes), '127.0.0.1', 7_000);
        const told = s.told[before]?.place;
        return told === undefined || /^[\d.]{7,15}:[1-9]\d*$/.test(told);
      },
    ),
    { numRuns: 300 },
  );
});

t.test('two rings at one server are told apart by SSRC, two servers by their place', LIMIT, async (t) => {
  const s = new SenderSetting();
  s.control.discover(0, '127.0.0.1', 7_000, 1);
  s.control.discover(1, '127.0.0.1', 7_000, 2);
  s.control.discover(2, '127.0.0.1', 7_001, 1);
  s.advance(0);
  s.udp.listener?.message(answer(2, '203.0.113.2'), '127.0.0.1', 7_000);
  s.udp.listener?.message(answer(1, '203.0.113.3'), '127.0.0.1', 7_001);
  s.udp.listener?.message(answer(1, '203.0.113.1'), '127.0.0.1', 7_000);
  t.same(
    s.told.map(({ ring, place }) => [ring, place]),
    [
      [1, '203.0.113.2:40321'],
      [2, '203.0.113.3:40321'],
      [0, '203.0.113.1:40321'],
    ],
  );
});

t.test('a second discovery of a ring replaces the first, and closing ends it', LIMIT, async (t) => {
  const s = new SenderSetting();
  s.control.discover(0, '127.0.0.1', 7_000, 1);
  s.control.discover(0, '127.0.0.1', 7_001, 1);
  s.advance(0);
  s.udp.listener?.message(answer(1), '127.0.0.1', 7_000);
  t.same(
    s.udp.sent.map(({ port }) => port),
    [7_001],
  );
  t.same(s.told, []);
  s.control.close(0);
  s.advance(5_000);
  t.equal(s.udp.sent.length, 1);
  s.udp.listener?.message(answer(1), '127.0.0.1', 7_001);
  t.same(s.heard('discovered'), []);
});

t.test('an answer and the end of the tries cost playing rings nothing', LIMIT, async (t) => {
  const s = new SenderSetting();
  const shard = s.playing(0, 20);
  for (let ring = 1; ring < 60; ring++) s.control.discover(ring, '127.0.0.1', 7_000 + ring, ring);
  s.advance(1_000, () => void shard.publish());
  t.equal(s.left(0).length, 51);
  t.equal(s.udp.sent.filter(({ bytes }) => bytes.length === 74).length, 2 * 59);
});
