// Makes a shard of this process misbehave; the shard runs faulty-shard-entry.ts.
import { BroadcastChannel } from 'node:worker_threads';

export const FAULT_CHANNEL = 'pumice-fault';

/** Added to a sender's number; see faulty-sender-entry.ts. */
export const SENDER_FAULT = 1_000;

export interface FaultCommand {
  readonly shard: number;
  /**
   * An uncaught exception; process.exit; the heap runs full; the task's promise rejects; nothing else runs; the same
   * in native code, where no thread can be ended (senders only).
   */
  readonly fault: 'throw' | 'exit' | 'oom' | 'reject' | 'spin' | 'block';
  /** How long it spins or blocks, in milliseconds. */
  readonly ms?: number;
}

export function makeFault(command: FaultCommand): void {
  const channel = new BroadcastChannel(FAULT_CHANNEL);
  channel.postMessage(command);
  channel.close();
}
