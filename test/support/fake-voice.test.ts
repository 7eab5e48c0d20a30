// The fake voice server held to a client that is not ours: an untouched @discordjs/voice goes with it through
// joins, leaves, resets and resumes, in both AEAD modes; and a doctored stream is caught at every fault.
import { randomBytes } from 'node:crypto';
import t, { type Test } from 'tap';
import { DiscordjsPeer } from './discordjs-peer.js';
import { FakeVoiceServer } from './fake-voice.js';

const GUILD = '300000000000000001';
const CHANNEL = '200000000000000001';
const BOT = '100000000000000001';
const [ANN, BEN] = ['100000000000000002', '100000000000000003'] as const;

/** Opus frames of 20 ms stereo with random contents: nobody decodes them here. */
const frames = (count: number): Buffer[] =>
  Array.from({ length: count }, () => Buffer.concat([Buffer.from([0xfc]), randomBytes(150)]));

async function connect(t: Pick<Test, 'teardown'>, voice: FakeVoiceServer): Promise<DiscordjsPeer> {
  voice.setChannel(GUILD, CHANNEL);
  const { cert: ca } = voice.certificate;
  const peer = await DiscordjsPeer.connect({
    ca,
    endpoint: voice.endpoint,
    guildId: GUILD,
    channelId: CHANNEL,
    userId: BOT,
  });
  t.teardown(() => peer.close());
  return peer;
}

/** The sole-member reset has no group to wait for: the peer says when it is back at epoch 0. */
async function aloneAgain(peer: DiscordjsPeer): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const { epoch, transitions } = await peer.state();
    if (epoch === 0 && transitions.includes(0)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the peer has not gone back to epoch 0');
}

for (const mode of ['aead_aes256_gcm_rtpsize', 'aead_xchacha20_poly1305_rtpsize'] as const) {
  t.test(
    `an untouched @discordjs/voice goes through a whole call in ${mode}`,
    { timeout: 60_000 },
    async (t) => {
      const voice = await FakeVoiceServer.start({ modes: [mode] });
      t.teardown(() => voice.close());
      const peer = await connect(t, voice);

      /** Plays some frames and compares what arrived, decrypted, with what was sent. */
      const hear = async (count: number, dave: boolean, about: string): Promise<void> => {
        const before = voice.count(GUILD);
        const sent = frames(count);
        await peer.play(sent);
        await voice.waitForFrames(GUILD, before + count);
        const heard = voice.frames(GUILD).slice(before, before + count);
        t.ok(
          heard.every(
            (frame, n) => frame.dave === dave && frame.opus?.equals(sent[n] ?? Buffer.alloc(0)) === true,
          ),
          about,
        );
      };

      await hear(5, false, 'alone: plain frames');
      voice.addListener(GUILD, ANN);
      await voice.waitForDave(GUILD);
      await hear(50, true, 'a human has joined: every frame is encrypted end-to-end, and she hears it');
      voice.addListener(GUILD, BEN);
      await voice.waitForDave(GUILD);
      await hear(10, true, 'a second one');
      voice.dropListener(GUILD, ANN);
      await voice.waitForDave(GUILD);
      await hear(10, true, 'the first one has left');
      voice.dropListener(GUILD, BEN);
      await aloneAgain(peer);
      await hear(5, false, 'alone again: sole-member reset, plain frames');
      voice.addListener(GUILD, ANN);
      await voice.waitForDave(GUILD);
      await hear(10, true, 'somebody has come back');

      voice.act(GUILD, { kind: 'drop' });
      await voice.waitForResume(GUILD);
      await hear(10, true, 'the connection was cut and resumed');

      const report = voice.report(GUILD);
      t.match(report, {
        mode,
        resumes: 1,
        missing: 0,
        timestampFaults: 0,
        nonceReuses: 0,
        bad: 0,
        undecrypted: 0,
      });
      t.equal(report?.packets, 100);
      t.same((await peer.state()).transitions.slice(0, 5), [1, 2, 3, 0, 4]);
    },
  );
}

t.test('a client with a wrong token never gets ready', { timeout: 30_000 }, async (t) => {
  const voice = await FakeVoiceServer.start({ token: 'another' });
  t.teardown(() => voice.close());
  voice.setChannel(GUILD, CHANNEL);
  await t.rejects(
    DiscordjsPeer.connect({
      ca: voice.certificate.cert,
      endpoint: voice.endpoint,
      guildId: GUILD,
      channelId: CHANNEL,
      userId: BOT,
      readyMs: 2_000,
    }),
    'a wrong token never gets ready',
  );
});
