// The life of one voice connection as a pure function: (state, event) → state and effects (discord-voice.md
// §1.3, §1.5; decision D8). The connection carries the effects out and feeds the events in, in a shard. No
// socket, timer or clock in here: what it must know of time comes with the event.

import { VOICE } from '../../shared/limits.js';
import { closeRule, resumeDelay, type CloseRule } from './close-rules.js';
import type { VoiceClose } from './driver.js';
import type { GatewayClose } from './gateway.js';
import type { Description, Greeting } from './voice-payloads.js';

/** Milliseconds; the defaults are those of VOICE in src/shared/limits.ts. */
export interface VoiceTimes {
  /** From connect(), or from the start of any later try, to its success. */
  readonly connectDeadline: number;
  readonly resumeFirstDelay: number;
  readonly resumeWindow: number;
}

/** How the present try will greet the gateway: with a new session, or for the one that was ready. */
export type Attempt = 'identify' | 'resume';

export type VoiceStep =
  /** The address is resolved, TCP and TLS are set up, or the next of it waits for its time. */
  | { readonly kind: 'waiting'; readonly attempt: Attempt }
  | { readonly kind: 'dialling'; readonly attempt: Attempt }
  /** Identify or Resume was sent; Ready or Resumed must come. */
  | { readonly kind: 'greeting'; readonly attempt: Attempt }
  | { readonly kind: 'discovering'; readonly greeting: Greeting }
  | { readonly kind: 'selecting'; readonly greeting: Greeting }
  | { readonly kind: 'ready'; readonly since: number }
  | { readonly kind: 'over' };

/** What the present spell of trouble has used up; it is over when the connection has held for a window. */
export interface Trouble {
  readonly since: number;
  readonly resumes: number;
  readonly timeoutResumed: boolean;
  readonly identifiedAfresh: boolean;
}

export interface VoiceState {
  readonly step: VoiceStep;
  readonly everReady: boolean;
  readonly trouble: Trouble;
}

export type VoiceEvent =
  /** The gateway's socket is open; `mayConnect` was asked in the same turn. */
  | { readonly kind: 'opened'; readonly mayConnect: boolean }
  | { readonly kind: 'greeted'; readonly greeting: Greeting }
  | { readonly kind: 'discovered'; readonly address: string; readonly port: number }
  | { readonly kind: 'described'; readonly description: Description }
  | { readonly kind: 'resumed' }
  /** The session's key has sealed nearly as many packets as it may. */
  | { readonly kind: 'worn' }
  /** The gateway connection ended or could not be made. */
  | { readonly kind: 'lost'; readonly close: GatewayClose }
  /** What the server wants, or where it sends us, is not allowed or not possible. */
  | { readonly kind: 'refused'; readonly code: number; readonly reason: string }
  | { readonly kind: 'deadline' }
  | { readonly kind: 'retry' }
  /** Another placement of the player has taken over. */
  | { readonly kind: 'superseded' }
  | { readonly kind: 'close' };

export type VoiceEffect =
  /** Resolve the endpoint and open the gateway there. */
  | { readonly do: 'dial' }
  | { readonly do: 'identify' }
  | { readonly do: 'resume' }
  | { readonly do: 'discover'; readonly greeting: Greeting }
  | {
      readonly do: 'select';
      readonly greeting: Greeting;
      readonly address: string;
      readonly port: number;
    }
  /** Key and address are known: frames may leave. */
  | { readonly do: 'open'; readonly greeting: Greeting; readonly description: Description }
  /** The same session goes on: speaking is told again. */
  | { readonly do: 'reopen' }
  /**
   * Lets go of the voice session (ring, key, DAVE group); the gateway connection is closed with 1000. Frames that
   * have not left are for the session that comes next.
   */
  | { readonly do: 'forget' }
  /** Drops the gateway connection of a try that has taken too long. */
  | { readonly do: 'hangUp' }
  | { readonly do: 'deadlineIn'; readonly ms: number }
  | { readonly do: 'retryIn'; readonly ms: number }
  | { readonly do: 'noDeadline' }
  | { readonly do: 'tellReady' }
  | { readonly do: 'tellClosed'; readonly close: VoiceClose }
  | { readonly do: 'release' };

/** What an event is judged by besides the state. `random` in [0, 1). */
export interface VoiceMoment {
  readonly now: number;
  readonly random: number;
  readonly times: VoiceTimes;
}

export interface VoiceOutcome {
  readonly state: VoiceState;
  readonly effects: readonly VoiceEffect[];
}

const NO_TROUBLE: Trouble = { since: -1, resumes: 0, timeoutResumed: false, identifiedAfresh: false };

export const FIRST_STATE: VoiceState = {
  step: { kind: 'dialling', attempt: 'identify' },
  everReady: false,
  trouble: NO_TROUBLE,
};

/** What happens at the very beginning. */
export function firstEffects(times: VoiceTimes): readonly VoiceEffect[] {
  return [{ do: 'deadlineIn', ms: times.connectDeadline }, { do: 'dial' }];
}

/** An event that the present step does not expect changes nothing. */
export function nextVoiceState(state: VoiceState, event: VoiceEvent, moment: VoiceMoment): VoiceOutcome {
  const { step } = state;
  if (step.kind === 'over') return stay(state);
  switch (event.kind) {
    case 'opened':
      if (step.kind !== 'dialling') return stay(state);
      if (!event.mayConnect) return over(state);
      return to(state, { kind: 'greeting', attempt: step.attempt }, { do: step.attempt });
    case 'greeted':
      if (step.kind !== 'greeting' || step.attempt !== 'identify') return stay(state);
      return to(
        state,
        { kind: 'discovering', greeting: event.greeting },
        { do: 'discover', greeting: event.greeting },
      );
    case 'discovered':
      if (step.kind !== 'discovering') return stay(state);
      return to(
        state,
        { kind: 'selecting', greeting: step.greeting },
        { do: 'select', greeting: step.greeting, address: event.address, port: event.port },
      );
    case 'described':
      if (step.kind !== 'selecting') return stay(state);
      return connected(state, moment, {
        do: 'open',
        greeting: step.greeting,
        description: event.description,
      });
    case 'resumed':
      if (step.kind !== 'greeting' || step.attempt !== 'resume') return stay(state);
      return connected(state, moment, { do: 'reopen' });
    case 'worn':
      return step.kind === 'ready' ? renewed(state, moment) : stay(state);
    case 'lost':
      return lost(state, event.close, moment);
    case 'refused':
      return ended(state, event.code, event.reason, false);
    case 'deadline':
      return late(state, moment);
    case 'retry':
      return retried(state, moment);
    case 'superseded':
    case 'close':
      return over(state);
  }
}

/** Whether frames of a session that was ready may still be on their way while its gateway is away. */
export function keepsSession({ step }: VoiceState): boolean {
  if (step.kind === 'ready') return true;
  return 'attempt' in step && step.attempt === 'resume';
}

function stay(state: VoiceState): VoiceOutcome {
  return { state, effects: [] };
}

function to(state: VoiceState, step: VoiceStep, ...effects: VoiceEffect[]): VoiceOutcome {
  return { state: { ...state, step }, effects };
}

function over(state: VoiceState, ...told: VoiceEffect[]): VoiceOutcome {
  return to(state, { kind: 'over' }, { do: 'release' }, ...told);
}

function ended(state: VoiceState, code: number, reason: string, byRemote: boolean): VoiceOutcome {
  const close: VoiceClose = { code, reason, byRemote, beforeReady: !state.everReady };
  return over(state, { do: 'tellClosed', close });
}

function connected(state: VoiceState, { now }: VoiceMoment, effect: VoiceEffect): VoiceOutcome {
  return {
    state: { ...state, step: { kind: 'ready', since: now }, everReady: true },
    effects: [{ do: 'noDeadline' }, effect, { do: 'tellReady' }],
  };
}

function lost(state: VoiceState, close: GatewayClose, moment: VoiceMoment): VoiceOutcome {
  // Between two tries there is no connection that could be lost.
  if (state.step.kind === 'waiting') return stay(state);
  if (keepsSession(state)) return recover(state, close, closeRule(close.code), moment);
  const hopeless = closeRule(close.code) === 'end' || isCertificateFailure(close.failure);
  if (hopeless || state.trouble.identifiedAfresh) {
    return ended(state, close.code, close.reason, close.byRemote);
  }
  return identifyAfresh(state, state.trouble, moment);
}

/** The gateway of a session that was ready is gone (decision D8). */
function recover(state: VoiceState, close: GatewayClose, rule: CloseRule, moment: VoiceMoment): VoiceOutcome {
  const { now, random, times } = moment;
  const { step } = state;
  const held = step.kind === 'ready' && now - step.since > times.resumeWindow;
  const trouble = held || state.trouble.since < 0 ? { ...NO_TROUBLE, since: now } : state.trouble;
  if (rule === 'identify' && !trouble.identifiedAfresh) {
    const afresh = identifyAfresh(state, trouble, moment);
    return {
      state: afresh.state,
      effects: [{ do: 'deadlineIn', ms: times.connectDeadline }, ...afresh.effects],
    };
  }
  const left = trouble.since + times.resumeWindow - now;
  const again = rule === 'resume' || (rule === 'resumeOnce' && !trouble.timeoutResumed);
  if (!again || left <= 0 || trouble.resumes >= VOICE.maxResumes) {
    return ended(state, close.code, close.reason, close.byRemote);
  }
  const resumes = trouble.resumes + 1;
  return {
    state: {
      ...state,
      step: { kind: 'waiting', attempt: 'resume' },
      trouble: { ...trouble, resumes, timeoutResumed: trouble.timeoutResumed || rule === 'resumeOnce' },
    },
    effects: [
      { do: 'noDeadline' },
      { do: 'retryIn', ms: resumeDelay(resumes, times.resumeFirstDelay, random) },
    ],
  };
}

/** A session with another key follows at once, and nobody is told (reliability.md case 6). */
function renewed(state: VoiceState, { times }: VoiceMoment): VoiceOutcome {
  return to(
    { ...state, trouble: NO_TROUBLE },
    { kind: 'dialling', attempt: 'identify' },
    { do: 'forget' },
    { do: 'deadlineIn', ms: times.connectDeadline },
    { do: 'dial' },
  );
}

/** One more try, with a session of its own. The deadline that runs goes on. */
function identifyAfresh(state: VoiceState, trouble: Trouble, { random, times }: VoiceMoment): VoiceOutcome {
  return {
    state: {
      ...state,
      step: { kind: 'waiting', attempt: 'identify' },
      trouble: { ...trouble, identifiedAfresh: true },
    },
    effects: [{ do: 'forget' }, { do: 'retryIn', ms: resumeDelay(1, times.resumeFirstDelay, random) }],
  };
}

function retried(state: VoiceState, { now, times }: VoiceMoment): VoiceOutcome {
  const { step, trouble } = state;
  if (step.kind !== 'waiting') return stay(state);
  const dialling: VoiceStep = { kind: 'dialling', attempt: step.attempt };
  if (step.attempt === 'identify') return to(state, dialling, { do: 'dial' });
  const left = Math.max(trouble.since + times.resumeWindow - now, times.resumeFirstDelay);
  return to(state, dialling, { do: 'deadlineIn', ms: Math.min(times.connectDeadline, left) }, { do: 'dial' });
}

function late(state: VoiceState, moment: VoiceMoment): VoiceOutcome {
  const reason = 'The voice connection was not ready in time';
  if (state.step.kind === 'ready') return stay(state);
  if (!keepsSession(state)) return ended(state, 1006, reason, false);
  const outcome = recover(state, { code: 1006, reason, byRemote: false, failure: null }, 'resume', moment);
  return { state: outcome.state, effects: [{ do: 'hangUp' }, ...outcome.effects] };
}

/** OpenSSL's names for a certificate that does not verify, and Node's for one with another name in it. */
function isCertificateFailure(failure: string | null): boolean {
  return failure !== null && /CERT|UNABLE_TO_(GET|VERIFY|DECODE)|HOSTNAME_MISMATCH/.test(failure);
}
