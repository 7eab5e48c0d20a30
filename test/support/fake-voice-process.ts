// A FakeVoiceServer in a process of its own, so that its work disturbs no measurement and its arrival times are
// not those of a busy event loop. Used by demo, benches and tests of timing; the child ends with this process.

import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FakeVoiceOptions } from './fake-voice.js';
import type { CallName, RemoteCalls, ToChild, ToParent } from './fake-voice-messages.js';

const CHILD = fileURLToPath(new URL('./fake-voice-child.js', import.meta.url));
const START_MS = 15_000;
const STOP_MS = 5_000;

type Arguments<Name extends CallName> = Parameters<RemoteCalls[Name]>;
type Answer<Name extends CallName> = Awaited<ReturnType<RemoteCalls[Name]>>;

interface Open {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class FakeVoiceProcess {
  /** host:port without a scheme. */
  readonly endpoint: string;
  readonly udpPort: number;
  /** PEM; the key stays in the child. */
  readonly certificate: { readonly cert: string };
  readonly #child: ChildProcess;
  readonly #open = new Map<number, Open>();
  #calls = 0;
  #gone = false;

  private constructor(child: ChildProcess, started: Extract<ToParent, { kind: 'started' }>) {
    this.#child = child;
    this.endpoint = started.endpoint;
    this.udpPort = started.udpPort;
    this.certificate = { cert: started.cert };
    child.on('message', (message) => this.#onMessage(message as ToParent));
    child.on('exit', (code, signal) => this.#onExit(`the fake voice process has ended (${code ?? signal})`));
  }

  static async start(options: Partial<FakeVoiceOptions> = {}): Promise<FakeVoiceProcess> {
    // 'advanced' keeps undefined in argument lists and Buffers in answers.
    const child = fork(CHILD, [JSON.stringify(options)], { serialization: 'advanced' });
    const first = await Promise.race([
      once(child, 'message', { signal: AbortSignal.timeout(START_MS) }),
      once(child, 'exit').then(([code]) => [{ kind: 'failed', message: `it ended with ${code}` }]),
    ]);
    const message = first[0] as ToParent;
    if (message.kind === 'started') return new FakeVoiceProcess(child, message);
    throw new Error(`the fake voice process did not start: ${JSON.stringify(message)}`);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Calls a method of the server in the child by name. */
  call<Name extends CallName>(name: Name, ...args: Arguments<Name>): Promise<Answer<Name>> {
    if (this.#gone) return Promise.reject(new Error('the fake voice process has ended'));
    const id = this.#calls++;
    const answer = new Promise<unknown>((resolve, reject) => this.#open.set(id, { resolve, reject }));
    this.#send({ kind: 'call', id, name, args });
    return answer as Promise<Answer<Name>>;
  }

  setChannel(...args: Arguments<'setChannel'>): Promise<void> {
    return this.call('setChannel', ...args);
  }

  script(...args: Arguments<'script'>): Promise<void> {
    return this.call('script', ...args);
  }

  act(...args: Arguments<'act'>): Promise<void> {
    return this.call('act', ...args);
  }

  /** Resolves with the listener's user id. */
  addListener(...args: Arguments<'addListener'>): Promise<string> {
    return this.call('addListener', ...args);
  }

  dropListener(...args: Arguments<'dropListener'>): Promise<void> {
    return this.call('dropListener', ...args);
  }

  speak(...args: Arguments<'speak'>): Promise<void> {
    return this.call('speak', ...args);
  }

  count(...args: Arguments<'count'>): Promise<Answer<'count'>> {
    return this.call('count', ...args);
  }

  report(...args: Arguments<'report'>): Promise<Answer<'report'>> {
    return this.call('report', ...args);
  }

  reports(...args: Arguments<'reports'>): Promise<Answer<'reports'>> {
    return this.call('reports', ...args);
  }

  totals(): Promise<Answer<'totals'>> {
    return this.call('totals');
  }

  latenessHistogram(): Promise<Answer<'latenessHistogram'>> {
    return this.call('latenessHistogram');
  }

  /** Resolves with the new port; `udpPort` stays what it was at the start. */
  changeUdpPort(...args: Arguments<'changeUdpPort'>): Promise<number> {
    return this.call('changeUdpPort', ...args);
  }

  resetCounters(): Promise<void> {
    return this.call('resetCounters');
  }

  writeOgg(...args: Arguments<'writeOgg'>): Promise<Answer<'writeOgg'>> {
    return this.call('writeOgg', ...args);
  }

  /** These resolve with the id of a session, for report(). */
  sessionOf(...args: Arguments<'sessionOf'>): Promise<string> {
    return this.call('sessionOf', ...args);
  }

  waitForIdentify(...args: Arguments<'waitForIdentify'>): Promise<string> {
    return this.call('waitForIdentify', ...args);
  }

  waitForResume(...args: Arguments<'waitForResume'>): Promise<string> {
    return this.call('waitForResume', ...args);
  }

  /** Resolves with the number of frames counted. */
  waitForFrames(...args: Arguments<'waitForFrames'>): Promise<number> {
    return this.call('waitForFrames', ...args);
  }

  waitForSilence(...args: Arguments<'waitForSilence'>): Promise<void> {
    return this.call('waitForSilence', ...args);
  }

  waitForSpeaking(...args: Arguments<'waitForSpeaking'>): Promise<void> {
    return this.call('waitForSpeaking', ...args);
  }

  waitForDave(...args: Arguments<'waitForDave'>): Promise<void> {
    return this.call('waitForDave', ...args);
  }

  waitForClose(...args: Arguments<'waitForClose'>): Promise<Answer<'waitForClose'>> {
    return this.call('waitForClose', ...args);
  }

  processorTime(): Promise<Answer<'processorTime'>> {
    return this.call('processorTime');
  }

  /** Ends the child; by force when it does not go within five seconds. */
  async stop(): Promise<void> {
    if (this.#gone) return;
    const exited = once(this.#child, 'exit');
    this.#send({ kind: 'stop' });
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await exited;
    clearTimeout(timer);
  }

  #send(message: ToChild): void {
    // A child that is just going takes no message; its exit then rejects what is open.
    this.#child.send(message, () => {});
  }

  #onMessage(message: ToParent): void {
    if (message.kind !== 'answer' && message.kind !== 'error') return;
    const open = this.#open.get(message.id);
    this.#open.delete(message.id);
    if (message.kind === 'answer') open?.resolve(message.value);
    else open?.reject(new Error(message.message));
  }

  #onExit(why: string): void {
    this.#gone = true;
    for (const open of this.#open.values()) open.reject(new Error(why));
    this.#open.clear();
  }
}
