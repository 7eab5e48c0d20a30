// The forked process of fake-voice-process.ts: a FakeVoiceServer that does what its parent asks over IPC and ends
// when the parent goes. Never imported; its options come as JSON in the first argument.

import { FakeVoiceServer } from './fake-voice.js';
import type { FakeVoiceOptions } from './fake-voice.js';
import type { RemoteCalls, ToChild, ToParent } from './fake-voice-messages.js';

function callsOf(server: FakeVoiceServer): RemoteCalls {
  return {
    setChannel: (guildId, channelId) => server.setChannel(guildId, channelId),
    script: (faults, scope) => server.script(faults, scope),
    act: (guildId, action) => server.act(guildId, action),
    addListener: (guildId, userId) => server.addListener(guildId, userId).userId,
    dropListener: (guildId, userId) => server.dropListener(guildId, userId),
    speak: (memberRate) => server.speak(memberRate),
    count: (guildId) => server.count(guildId),
    heard: (guildId) => server.heard(guildId),
    report: (id) => server.report(id),
    reports: (guildId) => server.reports(guildId),
    totals: () => server.totals(),
    latenessHistogram: () => server.latenessHistogram(),
    changeUdpPort: (keepOld) => server.changeUdpPort(keepOld),
    resetCounters: () => server.resetCounters(),
    writeOgg: (guildId, path) => server.writeOgg(guildId, path),
    sessionOf: async (guildId, timeoutMs) => (await server.sessionOf(guildId, timeoutMs)).id,
    waitForIdentify: async (guildId, n, timeoutMs) =>
      (await server.waitForIdentify(guildId, n, timeoutMs)).id,
    waitForResume: async (guildId, n, timeoutMs) => (await server.waitForResume(guildId, n, timeoutMs)).id,
    waitForFrames: async (guildId, n, timeoutMs) => {
      await server.waitForFrames(guildId, n, timeoutMs);
      return server.count(guildId);
    },
    waitForSilence: (guildId, timeoutMs) => server.waitForSilence(guildId, timeoutMs),
    waitForSpeaking: (guildId, on, timeoutMs) => server.waitForSpeaking(guildId, on, timeoutMs),
    waitForDave: (guildId, timeoutMs) => server.waitForDave(guildId, timeoutMs),
    waitForClose: (guildId, timeoutMs) => server.waitForClose(guildId, timeoutMs),
    processorTime: () => process.cpuUsage(),
  };
}

function tell(message: ToParent): void {
  process.send?.(message);
}

async function answer(calls: RemoteCalls, message: Extract<ToChild, { kind: 'call' }>): Promise<void> {
  try {
    // The parent's side is typed by the same interface, so name and arguments fit.
    const call = calls[message.name] as (...args: readonly unknown[]) => unknown;
    tell({ kind: 'answer', id: message.id, value: await call(...message.args) });
  } catch (error) {
    tell({ kind: 'error', id: message.id, message: error instanceof Error ? error.message : String(error) });
  }
}

process.on('disconnect', () => process.exit(0));
try {
  const options = JSON.parse(process.argv[2] ?? '{}') as Partial<FakeVoiceOptions>;
  const server = await FakeVoiceServer.start(options);
  const calls = callsOf(server);
  process.on('message', (message: ToChild) => {
    if (message.kind === 'call') void answer(calls, message);
    else void server.close().then(() => process.disconnect());
  });
  tell({
    kind: 'started',
    endpoint: server.endpoint,
    udpPort: server.udpPort,
    cert: server.certificate.cert,
  });
} catch (error) {
  tell({ kind: 'failed', message: String(error) });
  process.disconnect();
}
