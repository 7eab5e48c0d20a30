// What loading an identifier yields. A load is independent of the node that does it (it could be another
// host's): plain data in, track tokens out, nothing kept between two calls.
import type { ErrorShape } from './errors.js';

export type LoadOutcome =
  | { readonly kind: 'track'; readonly token: string }
  | { readonly kind: 'playlist'; readonly name: string; readonly selected: number; readonly tokens: string[] }
  | { readonly kind: 'search'; readonly tokens: string[] }
  | { readonly kind: 'empty' }
  | { readonly kind: 'error'; readonly error: ErrorShape };

export interface LoadService {
  /** Never rejects for what the identifier or the far end gets wrong: that is an `error` outcome. */
  load(identifier: string, signal: AbortSignal): Promise<LoadOutcome>;
}
