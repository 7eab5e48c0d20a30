// The sources of this build, in the order in which they are asked. Built once per thread, by a shard's entry
// and by loader-entry.ts; src/shared/sources.ts holds the same names for main.

import type { Clock } from '../../shared/clock.js';
import { enabledSources, type SourceName } from '../../shared/sources.js';
import { FileSource } from './file.js';
import type { Guard } from './guard.js';
import { HttpClient } from './http.js';
import { HttpSource } from './http-source.js';
import type { SourceSettings } from './settings.js';
import type { Source } from './source.js';

export class SourceRegistry {
  readonly #sources: readonly Source[];

  constructor(sources: readonly Source[]) {
    this.#sources = sources;
  }

  /** Every source that wants to be asked about this identifier, in order. */
  accepting(identifier: string): readonly Source[] {
    return this.#sources.filter((source) => source.accepts(identifier));
  }

  /** The source of that name, or null when it is switched off or unknown. */
  get(name: string): Source | null {
    return this.#sources.find((source) => source.name === name) ?? null;
  }

  names(): readonly string[] {
    return this.#sources.map((source) => source.name);
  }
}

/** The sources that the settings switch on. */
export function buildRegistry(settings: SourceSettings, guard: Guard, clock: Clock): SourceRegistry {
  const makers: Readonly<Record<SourceName, () => Source>> = {
    local: () => new FileSource(settings.localRoot),
    http: () => new HttpSource(new HttpClient(guard, clock, settings.timeouts)),
  };
  return new SourceRegistry(enabledSources(settings).map((name) => makers[name]()));
}
