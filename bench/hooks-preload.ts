// Loaded by `--import` into a server under a bench, and so into each of its threads ahead of the product's own entry.
// Carries out the commands of server-hooks.ts: main takes them from a socket and hands them to the workers. Nothing
// of it is part of the product; a server that is started without it cannot be told any of this.
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { PerformanceObserver } from 'node:perf_hooks';
import { BroadcastChannel, isMainThread, threadId } from 'node:worker_threads';
import type { HookCommand, ThreadReply } from './server-hooks.js';

type Word =
  | { readonly id: number; readonly command: HookCommand }
  | { readonly id: number; readonly from: number; readonly reply: ThreadReply };

const CHANNEL = 'pumice-bench-hooks';
const SHARD = /^pumice-s(\d+)$/;
/** Loaders come and go; nobody waits for theirs. */
const LASTING = /^pumice-s(nd)?\d+$/;
const THRASH_EVERY_MS = 10;
const OBJECTS_A_TURN = 5_000;
/** Turns for which garbage is held: a second. */
const HELD_TURNS = 100;

const told = { stalls: 0, collections: 0, collectionMs: 0 };
let running: NodeJS.Timeout | null = null;
let observer: PerformanceObserver | null = null;

const channel = new BroadcastChannel(CHANNEL);
/** Of main: who waits for the answers to a command. */
const waiting = new Map<number, (reply: ThreadReply) => void>();

channel.onmessage = (message: unknown) => {
  const word = (message as { data: Word }).data;
  if ('reply' in word) waiting.get(word.id)?.(word.reply);
  else if (!isMainThread) {
    channel.postMessage({ id: word.id, from: threadId, reply: carryOut(word.command) } satisfies Word);
  }
};
channel.unref();
if (isMainThread) serve(new URL(import.meta.url).searchParams.get('socket') ?? '');

/** The kernel's name of this thread, which the product gives it when it starts. */
function ownName(): string {
  return readFileSync('/proc/thread-self/comm', 'utf8').trim();
}

function carryOut(command: HookCommand): ThreadReply {
  const thread = ownName();
  const shard = SHARD.exec(thread)?.[1];
  switch (command.kind) {
    case 'stalls':
      if (shard !== undefined) stallOften(command.ms, command.perSecond);
      break;
    case 'stall':
      if (shard === String(command.shard)) setImmediate(stall, command.ms);
      break;
    case 'thrash':
      if (isMainThread) thrash();
      break;
    case 'calm':
      calm();
      break;
    case 'collect':
      collect();
  }
  const { heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
  return { thread, ...told, heapUsed, heapTotal, external, arrayBuffers };
}

function stall(ms: number): void {
  told.stalls++;
  const until = performance.now() + ms;
  while (performance.now() < until) Math.random();
}

function stallOften(ms: number, perSecond: number): void {
  calm();
  const slot = 1_000 / perSecond;
  const next = (): void => {
    setTimeout(stall, Math.random() * Math.max(0, slot - ms), ms);
  };
  running = setInterval(next, slot);
}

function thrash(): void {
  calm();
  observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      told.collections++;
      told.collectionMs += duration;
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  const held: object[][] = [];
  let turn = 0;
  running = setInterval(() => {
    held[turn++ % HELD_TURNS] = Array.from({ length: OBJECTS_A_TURN }, (_, n) => ({ n, text: `${n}` }));
  }, THRASH_EVERY_MS);
}

function calm(): void {
  if (running !== null) clearInterval(running);
  running = null;
  observer?.disconnect();
  observer = null;
}

function collect(): void {
  const force = globalThis.gc as unknown as ((options: Record<string, string>) => void) | undefined;
  // A last resort also gives back what is kept for the next objects; once more for what finalisers let go.
  for (let n = 0; n < 2; n++) force?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

function serve(path: string): void {
  let commands = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    socket.on('end', () => {
      void everywhere(commands++, JSON.parse(text) as HookCommand).then((replies) =>
        socket.end(JSON.stringify(replies)),
      );
    });
  });
  server.listen(path).unref();
}

/** Resolves when main and every shard and sender have done it. */
function everywhere(id: number, command: HookCommand): Promise<readonly ThreadReply[]> {
  const replies = [carryOut(command)];
  const missing = new Set(threadNames().filter((name) => LASTING.test(name)));
  return new Promise((resolve) => {
    const done = (): void => {
      if (missing.size > 0) return;
      waiting.delete(id);
      resolve(replies);
    };
    waiting.set(id, (reply) => {
      replies.push(reply);
      missing.delete(reply.thread);
      done();
    });
    channel.postMessage({ id, command } satisfies Word);
    done();
  });
}

function threadNames(): string[] {
  return readdirSync('/proc/self/task').map((task) => {
    try {
      return readFileSync(`/proc/self/task/${task}/comm`, 'utf8').trim();
    } catch {
      return ''; // It has ended meanwhile.
    }
  });
}
