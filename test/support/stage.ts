// The whole stage of an end-to-end test: the real server in its own process, a fake voice server in another,
// an HTTP origin here, all on loopback and gone with the test.
import type { Test } from 'tap';
import { FakeVoiceServer } from './fake-voice.js';
import type { FakeVoiceOptions } from './voice-options.js';
import { Origin } from './origin.js';
import { PumiceProcess, TEST_PASSWORD, type PumiceProcessOptions } from './pumice-process.js';
import { ShoukakuBot } from './shoukaku-bot.js';

export interface Stage {
  readonly server: PumiceProcess;
  readonly voice: FakeVoiceServer;
  readonly origin: Origin;
}

export async function stage(
  t: Pick<Test, 'teardown'>,
  options: { voice?: Partial<FakeVoiceOptions>; config?: PumiceProcessOptions['config'] } = {},
): Promise<Stage> {
  const voice = await FakeVoiceServer.start(options.voice ?? {});
  const origin = await Origin.start();
  const server = await PumiceProcess.start({
    ca: voice.certificate.cert,
    ...(options.config ? { config: options.config } : {}),
  });
  t.teardown(async () => {
    await server.stop();
    await voice.close();
    await origin.close();
  });
  return { server, voice, origin };
}

/** A Shoukaku bot on that stage, gone with the test. */
export async function bot(t: Pick<Test, 'teardown'>, { server, voice }: Stage): Promise<ShoukakuBot> {
  const shoukaku = await ShoukakuBot.connect({
    port: server.port,
    password: TEST_PASSWORD,
    voiceEndpoint: voice.endpoint,
  });
  t.teardown(() => {
    shoukaku.close();
  });
  return shoukaku;
}
