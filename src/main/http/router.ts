// Finds the route of a request. Paths match whole, without regard to a trailing slash being "the same"
// (lavalink-v4.md §1.1). Made once from the table; pure afterwards. Main thread.
import type { Method } from './engine.js';
import type { Route } from './routes.js';

export type Match =
  | { readonly kind: 'route'; readonly route: Route; readonly params: Readonly<Record<string, string>> }
  /** The path exists for these methods only. */
  | { readonly kind: 'method'; readonly template: string; readonly allowed: readonly Method[] }
  | { readonly kind: 'none' };

interface PathEntry {
  readonly template: string;
  readonly segments: readonly string[];
  readonly routes: Map<Method, Route>;
}

export class Router {
  readonly #paths: PathEntry[] = [];

  constructor(routes: readonly Route[]) {
    for (const route of routes) this.#entry(route.template).routes.set(route.method, route);
  }

  find(method: string, path: string): Match {
    const segments = path.split('/');
    for (const entry of this.#paths) {
      const params = match(entry.segments, segments);
      if (params === null) continue;
      // HEAD is GET without the body, which the engine leaves out.
      const route = entry.routes.get(method === 'HEAD' ? 'GET' : (method as Method));
      if (route) return { kind: 'route', route, params };
      return { kind: 'method', template: entry.template, allowed: allowedOf(entry) };
    }
    return { kind: 'none' };
  }

  /** The label of a path in the metrics, out of a closed set. */
  label(path: string): string {
    const segments = path.split('/');
    const entry = this.#paths.find((candidate) => match(candidate.segments, segments) !== null);
    return entry?.template ?? 'unmatched';
  }

  #entry(template: string): PathEntry {
    const present = this.#paths.find((entry) => entry.template === template);
    if (present) return present;
    const entry = { template, segments: template.split('/'), routes: new Map<Method, Route>() };
    this.#paths.push(entry);
    return entry;
  }
}

function allowedOf(entry: PathEntry): readonly Method[] {
  const methods = [...entry.routes.keys()];
  return methods.includes('GET') ? [...methods, 'HEAD', 'OPTIONS'] : [...methods, 'OPTIONS'];
}

function match(
  template: readonly string[],
  segments: readonly string[],
): Readonly<Record<string, string>> | null {
  if (template.length !== segments.length) return null;
  const params: Record<string, string> = {};
  for (const [index, part] of template.entries()) {
    const segment = segments[index] ?? '';
    if (!part.startsWith('{')) {
      if (part !== segment) return null;
      continue;
    }
    const value = decoded(segment);
    if (value === null || value === '') return null;
    params[part.slice(1, -1)] = value;
  }
  return params;
}

function decoded(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}
