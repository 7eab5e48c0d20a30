// The socket that the library is given, on a clock moved by hand: heartbeats, numbering, and that nothing a
// server sends or the library throws comes out of it.

import fc from 'fast-check';
import t from 'tap';
import { GatewaySocket } from '../../../src/shard/voice/gateway-socket.js';
import type { SocketOwner, VoiceMessage, VoicePacket } from '../../../src/shard/voice/gateway-socket.js';
import { ManualClock } from '../../support/manual-clock.js';

const CEILING = { timeout: 10_000 };

class Owner implements SocketOwner {
  readonly clock = new ManualClock();
  readonly socket = new GatewaySocket();
  readonly sent: (string | Uint8Array)[] = [];
  readonly packets: VoicePacket[] = [];
  readonly messages: VoiceMessage[] = [];
  lost = 0;
  ignored = 0;

  constructor() {
    this.socket.own(this);
    this.socket.attach({
      send: (message) => this.sent.push(message) > 0,
      close: () => undefined,
      drop: () => undefined,
    });
  }

  onPacket(packet: VoicePacket): void {
    this.packets.push(packet);
    this.socket.deliver('packet', packet);
  }

  onMessage(message: VoiceMessage): void {
    this.messages.push(message);
    this.socket.deliver('binary', message);
  }

  onHeartbeatLost(): void {
    this.lost++;
  }

  onIgnored(): void {
    this.ignored++;
  }

  get beats(): number {
    return this.sent.filter((message) => typeof message === 'string' && message.includes('"op":3')).length;
  }
}

t.test('the first heartbeat goes out at once, and its answer is the ping', CEILING, async (t) => {
  const owner = new Owner();
  owner.socket.setHeartbeatInterval(13_750);
  t.equal(owner.beats, 1);
  t.equal(owner.socket.ping, undefined);
  owner.clock.advance(31);
  owner.socket.receiveText('{"op":6,"d":{"t":1}}');
  t.equal(owner.socket.ping, 31);
  owner.clock.advance(13_750);
  t.equal(owner.beats, 2);
});

t.test('two heartbeats without an answer are a lost gateway', CEILING, async (t) => {
  const owner = new Owner();
  owner.socket.setHeartbeatInterval(1_000);
  owner.clock.advance(1_000);
  t.equal(owner.lost, 0);
  owner.clock.advance(1_000);
  t.equal(owner.lost, 1);
  owner.clock.advance(60_000);
  t.equal(owner.lost, 1, 'told once');
});

t.test('an interval that is none stops the heartbeats', CEILING, async (t) => {
  const owner = new Owner();
  for (const ms of [NaN, -1, 0, '13750x' as unknown as number, null as unknown as number]) {
    owner.socket.setHeartbeatInterval(ms);
  }
  owner.clock.advance(100_000);
  t.equal(owner.beats, 0);
  owner.socket.setHeartbeatInterval(1e-9);
  owner.clock.advance(10);
  t.equal(owner.beats, 1, 'and a tiny one does not flood the server');
});

t.test('a heartbeat asked for by the server is sent at once', CEILING, async (t) => {
  const owner = new Owner();
  owner.socket.receiveText('{"op":3,"d":null}');
  t.equal(owner.beats, 1);
});

t.test('number 0 counts, in text and in binary, and is acknowledged', CEILING, async (t) => {
  const owner = new Owner();
  owner.socket.sequence = 65_535;
  owner.socket.receiveText('{"op":11,"d":{"user_ids":[]},"seq":0}');
  t.equal(owner.socket.sequence, 0);
  owner.socket.receiveBinary(Buffer.from([0, 1, 25, 7]));
  t.equal(owner.socket.sequence, 1);
  t.match(owner.messages, [{ op: 25, seq: 1 }]);
  owner.socket.setHeartbeatInterval(1_000);
  t.match(JSON.parse(String(owner.sent[0])), { op: 3, d: { seq_ack: 1 } });
});

t.test('what the library throws is counted and forgotten', CEILING, async (t) => {
  const owner = new Owner();
  owner.socket.on('binary', () => {
    throw new Error('WrongEpoch');
  });
  owner.socket.receiveBinary(Buffer.from([0, 1, 27]));
  t.equal(owner.ignored, 1);
});

t.test('nothing is sent without a connection', CEILING, async (t) => {
  const owner = new Owner();
  owner.socket.setHeartbeatInterval(1_000);
  owner.socket.detach();
  owner.socket.sendPacket({ op: 5, d: {} });
  owner.clock.advance(10_000);
  t.equal(owner.sent.length, 1);
  t.equal(owner.lost, 0, 'and nothing is lost that is not there');
});

t.test('no text and no bytes come out of it as an error', CEILING, async () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.json()),
      fc.uint8Array({ maxLength: 40 }),
      fc.integer({ min: -1, max: 40 }),
      fc.jsonValue(),
      (text, bytes, op, d) => {
        const owner = new Owner();
        owner.socket.receiveText(text);
        owner.socket.receiveText(JSON.stringify({ op, d, seq: d }));
        owner.socket.receiveBinary(Buffer.from(bytes));
        return Number.isInteger(owner.socket.sequence);
      },
    ),
    { numRuns: 300 },
  );
});
