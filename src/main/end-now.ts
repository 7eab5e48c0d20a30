// Ends the process although a thread hangs in native code: process.exit() waits for every worker thread, and would
// wait for that one for ever. For index.ts alone, when nothing can be saved any more. Main thread.
import { createRequire } from 'node:module';

/** The platform's own, of which the compiler's library for a server knows nothing. */
interface WithMemory {
  readonly WebAssembly: { readonly Memory: new (size: { readonly initial: number }) => object };
}

/**
 * Returns only if the platform has no such way, and then process.exit() may still do. Nothing is flushed or told:
 * the log's lines have been written by then.
 */
export function endNow(code: number): void {
  // Its proc_exit is the C library's exit(), which knows nothing of threads. Loaded here because loading it warns.
  const { WASI } = createRequire(import.meta.url)('node:wasi') as typeof import('node:wasi');
  const wasi = new WASI({ version: 'preview1', returnOnExit: false });
  const imports = wasi.wasiImport as { proc_exit(code: number): void };
  const { WebAssembly } = globalThis as unknown as WithMemory;
  const memory = new WebAssembly.Memory({ initial: 1 });
  wasi.start({
    exports: {
      memory,
      _start: () => {
        imports.proc_exit(code);
      },
    },
  });
}
