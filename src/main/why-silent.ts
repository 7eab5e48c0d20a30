// Why a player is silent: walks the chain from the client's order to the last datagram, and names the first link that
// is broken. A pure function of what main knows and of what the shard says; why-silent-links.ts knows the links.
// Main thread.
import type { SilenceFacts } from './why-silent-facts.js';
import { LINKS, type LinkName } from './why-silent-links.js';

export interface LinkReport {
  readonly name: LinkName;
  /** null: behind the broken link, so not judged. */
  readonly ok: boolean | null;
  /** What is known of it. */
  readonly [fact: string]: unknown;
}

export interface SilenceReport {
  readonly silent: boolean;
  readonly brokenLink: LinkName | null;
  /** One sentence. */
  readonly explanation: string;
  readonly links: readonly LinkReport[];
}

export function whySilent(facts: SilenceFacts): SilenceReport {
  const links: LinkReport[] = [];
  let brokenLink: LinkName | null = null;
  let explanation = healthy(facts);
  for (const { name, known, fault } of LINKS) {
    let ok: boolean | null = null;
    if (brokenLink === null) {
      const found = fault(facts);
      ok = found === null;
      if (found !== null) {
        brokenLink = name;
        explanation = found;
      }
    }
    links.push({ name, ok, ...known(facts) });
  }
  return { silent: brokenLink !== null, brokenLink, explanation, links };
}

function healthy({ inside }: SilenceFacts): string {
  const age = inside?.voice?.ring?.sentAgeMs ?? 0;
  return (
    `Datagrams leave for the voice server, the last one ${String(age)} ms ago: ` +
    'what is lost behind this machine cannot be seen from here.'
  );
}
