// What of a system's error may be told: its code. Its text often holds an address, a host name or a path, and
// causes are shown to clients (decision D10). Used by the files of this folder that touch the network or disk.

/** The error's code, such as ECONNREFUSED, or the name of its class. */
export function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : error.name;
}
