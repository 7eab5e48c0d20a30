// An error as Lavalink's exception object (lavalink-v4.md §1.3). The stack text carries the chain of codes
// and messages, never a file name or line (decision D10). Pure; used by load results and events.
import type { ServerError, Severity } from '../../shared/errors.js';

export interface ExceptionJson {
  readonly message: string;
  readonly severity: Severity;
  readonly cause: string;
  readonly causeStackTrace: string;
}

export function exceptionJson(error: ServerError): ExceptionJson {
  const chain = error.chain();
  return {
    message: error.message,
    severity: error.severity,
    cause: chain.at(-1) ?? error.message,
    causeStackTrace: chain.join('\nCaused by: '),
  };
}
