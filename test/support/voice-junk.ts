// Messages that no sound voice server sends, for reliability case 38: each a thing of its own, always the same
// ones, so that what fails once fails again. Pure; sent by gateway-connection.ts and voice-udp.ts.

import type { GatewayMessageData } from './resend-buffer.js';

/**
 * `text`: not JSON. `shape`: JSON that is no gateway message. `binary`: too short or of no known op. `body`: ops a
 * client knows, with bodies that are none. Clients must bear the first three; what they do about the last is theirs.
 */
export type JunkKind = 'text' | 'shape' | 'binary' | 'body';

export const IGNORABLE: readonly JunkKind[] = ['text', 'shape', 'binary'];

const TEXT = ['', 'x', '{', '{"op":6,"d":', '\u0000\ufffd', 'null null', 'y'.repeat(100_000)];
const SHAPE = [
  'null',
  '7',
  '[]',
  '"op"',
  '{}',
  '{"op":null,"d":{}}',
  '{"op":"four","d":{}}',
  '{"op":99,"d":{}}',
  '{"op":-1}',
  '{"op":1e400,"d":[]}',
  `${'['.repeat(1_000)}${']'.repeat(1_000)}`,
];
const BODY = [2, 4, 5, 8, 11, 13, 18, 20, 21, 22, 24].flatMap((op) => [
  JSON.stringify({ op }),
  JSON.stringify({ op, d: null }),
  JSON.stringify({ op, d: [7] }),
  JSON.stringify({ op, d: { user_ids: 7, user_id: {}, transition_id: 'x', mode: 3, secret_key: [400] } }),
]);
const NO_OP = 99;
const MLS_OPS = [25, 27, 29, 30];

/** `seq` is the newest number in use: junk takes none of its own, so it never disturbs a Resume. */
export function junkMessages(kinds: readonly JunkKind[], seq: number): readonly GatewayMessageData[] {
  const messages: GatewayMessageData[] = [];
  const numbered = (op: number, ...payload: readonly number[]): Buffer =>
    Buffer.from([seq >> 8, seq & 0xff, op, ...payload]);
  for (const kind of kinds) {
    if (kind === 'text') messages.push(...TEXT);
    else if (kind === 'shape') messages.push(...SHAPE);
    else if (kind === 'binary') {
      messages.push(Buffer.alloc(0), Buffer.from([7]), Buffer.from([0, 0]));
      messages.push(numbered(NO_OP), numbered(NO_OP, 1, 2, 3), numbered(255, ...Buffer.alloc(5_000, 0xff)));
    } else {
      messages.push(...BODY);
      for (const op of MLS_OPS)
        messages.push(numbered(op), numbered(op, 0, 1), numbered(op, 0, 9, 255, 255, 255));
    }
  }
  return messages;
}

/** Datagrams a client must ignore; the SSRC is its own. */
export function junkDatagram(n: number, ssrc: number): Buffer {
  const mine = Buffer.alloc(4);
  mine.writeUInt32BE(ssrc);
  const shapes = [
    Buffer.alloc(0),
    Buffer.from([n & 0xff]),
    Buffer.concat([Buffer.from('00020046', 'hex'), mine, Buffer.alloc(66)]), // An answer nobody asked for.
    Buffer.from('1337f00d00000000', 'hex'),
    Buffer.concat([Buffer.from([0x80, 0x78, 0, n & 0xff]), Buffer.alloc(4), mine, Buffer.alloc(60, 0x5a)]),
    Buffer.concat([Buffer.from([0x81, 200, 0, 6]), mine, Buffer.alloc(24, 0x5a)]),
    Buffer.alloc(1_400, 0xff),
  ];
  return shapes[n % shapes.length]!;
}
