// The guard of every outgoing connection: the only file that chooses an address to connect to. Media URLs
// (http.ts), the voice endpoint and the voice gateway's UDP address (src/shard/voice) pass through it, in
// shards and in loaders. A name is looked up once and the address that was judged is the one that is dialled;
// a refusal names the class of the address, never the address.

import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { networkInterfaces } from 'node:os';

import type { Clock } from '../../shared/clock.js';
import { ServerError } from '../../shared/errors.js';
import { SOURCE } from '../../shared/limits.js';
import { matchVoiceEndpoint } from '../../shared/voice-endpoint.js';
import { addressKey, classifyAddress, type AllowList } from './address.js';
import { errorCode } from './error-code.js';

/** An address that may be dialled. */
export interface CheckedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** The literal addresses of a host name, in the order in which they should be tried. */
export type Resolver = (host: string) => Promise<readonly string[]>;

export interface GuardOptions {
  readonly allow: AllowList;
  readonly clock: Clock;
  /** The system's resolver where absent. */
  readonly resolver?: Resolver;
  /** Refused even if public, unless the allow-list names them; this machine's addresses where absent. */
  readonly ownAddresses?: readonly string[];
}

/** Where a voice gateway connection goes. */
export interface VoiceTarget extends CheckedAddress {
  readonly host: string;
  readonly port: number;
  /** The operator's pattern spells this very host (src/shared/voice-endpoint.ts). */
  readonly literal: boolean;
}

export class Guard {
  readonly #allow: AllowList;
  readonly #clock: Clock;
  readonly #resolver: Resolver;
  readonly #own: ReadonlySet<string>;

  constructor(options: GuardOptions) {
    this.#allow = options.allow;
    this.#clock = options.clock;
    this.#resolver = options.resolver ?? resolveBySystem;
    this.#own = new Set((options.ownAddresses ?? machineAddresses()).map(addressKey));
  }

  /**
   * A media URL as it may be asked for: http or https (icy becomes http), without user information; a literal
   * host is judged here and now. Throws PUM_SOURCE_URL or PUM_SOURCE_REFUSED.
   */
  checkUrl(text: string): URL {
    if (text.length > SOURCE.maxUrl) throw new ServerError('PUM_SOURCE_URL');
    const url = parseUrl(text);
    if (url.protocol !== 'http:' && url.protocol !== 'https:') throw refused('scheme');
    if (url.username !== '' || url.password !== '') throw refused('user information');
    const host = hostOf(url);
    if (host === '') throw new ServerError('PUM_SOURCE_URL');
    if (classifyAddress(host) !== null) this.#judge(host);
    // A trailing dot would break the certificate's name.
    if (url.hostname.endsWith('.')) url.hostname = host;
    return url;
  }

  /**
   * The one address to dial for a host name or a literal (no brackets). A single private answer refuses the
   * name. Rejects with PUM_SOURCE_REFUSED, PUM_SOURCE_RESOLVE, or the signal's reason.
   */
  async resolve(host: string, signal: AbortSignal): Promise<CheckedAddress> {
    const answers = classifyAddress(host) === null ? await this.#lookup(host, signal) : [host];
    // More than the cap is never looked at, so never dialled either.
    return preferred(answers.slice(0, SOURCE.maxAddresses).map((address) => this.#judge(address)));
  }

  /**
   * Where to connect for a client's voice `endpoint`. A host that a pattern spells out may be private, any
   * other must be as public as a media host. Rejects with PUM_VOICE_ENDPOINT, or as `resolve` does.
   */
  async voiceEndpoint(
    endpoint: string,
    patterns: readonly string[],
    signal: AbortSignal,
  ): Promise<VoiceTarget> {
    const match = matchVoiceEndpoint(patterns, endpoint);
    if (match === null) throw new ServerError('PUM_VOICE_ENDPOINT', { host: endpoint.slice(0, 255) });
    if (!match.literal) return { ...match, ...(await this.resolve(match.host, signal)) };
    const literal = classifyAddress(match.host) !== null;
    const answers = literal ? [match.host] : await this.#lookup(match.host, signal);
    const addresses = answers
      .slice(0, SOURCE.maxAddresses)
      .filter((address) => classifyAddress(address) !== null);
    return { ...match, ...preferred(addresses.map(unjudged)) };
  }

  /**
   * The UDP address a voice gateway has named, if it may be sent to: one as public as a media host, or, when
   * the gateway's own host was spelt out by a pattern, the gateway's address, or loopback when that is
   * loopback. Throws PUM_SOURCE_REFUSED.
   */
  checkDatagram(address: string, gateway: VoiceTarget): CheckedAddress {
    const is = classifyAddress(address);
    if (gateway.literal && is !== null) {
      const bothLoopback = is === 'loopback' && classifyAddress(gateway.address) === 'loopback';
      if (bothLoopback || addressKey(address) === addressKey(gateway.address)) return unjudged(address);
    }
    return this.#judge(address);
  }

  #judge(address: string): CheckedAddress {
    const is = classifyAddress(address);
    if (is === null) throw refused('not an address');
    if (!this.#allow.has(address)) {
      if (is !== 'public') throw refused(is);
      if (this.#own.has(addressKey(address))) throw refused('own');
    }
    return unjudged(address);
  }

  /** Asks the resolver once, for at most SOURCE.resolveTimeout. */
  #lookup(host: string, signal: AbortSignal): Promise<readonly string[]> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const settle = (action: () => void): void => {
        deadline.cancel();
        signal.removeEventListener('abort', onAbort);
        action();
      };
      const onAbort = (): void => settle(() => reject(signal.reason));
      const deadline = this.#clock.after(SOURCE.resolveTimeout, () =>
        settle(() => reject(new ServerError('PUM_SOURCE_RESOLVE'))),
      );
      signal.addEventListener('abort', onAbort, { once: true });
      this.#resolver(host).then(
        (answers) => settle(() => resolve(answers)),
        (error: unknown) => settle(() => reject(new ServerError('PUM_SOURCE_RESOLVE', {}, errorCode(error)))),
      );
    });
  }
}

/** A `lookup` for `ws`, `net` and `tls` that knows one answer: the address that was judged. */
export function pinnedLookup(checked: CheckedAddress): LookupFunction {
  return (_host, options, callback) => {
    if (options.all === true) callback(null, [{ ...checked }]);
    else callback(null, checked.address, checked.family);
  };
}

/** The host of a URL as `resolve` takes it: an IPv6 address without its brackets, no trailing dot. */
export function hostOf(url: URL): string {
  const { hostname } = url;
  if (hostname.startsWith('[')) return hostname.slice(1, -1);
  return hostname.endsWith('.') ? hostname.slice(0, -1) : hostname;
}

function parseUrl(text: string): URL {
  if (!URL.canParse(text)) {
    // A zone id is an attempt at a local interface, not a typing mistake.
    if (/\[[^\]]*%/.test(text)) throw refused('zone');
    throw new ServerError('PUM_SOURCE_URL');
  }
  const url = new URL(text);
  // Read again as http, because only the special schemes have their host names normalised.
  return url.protocol === 'icy:' ? parseUrl(`http:${url.href.slice('icy:'.length)}`) : url;
}

/** IPv4 first, as Lavalink's Java does it: many hosts have an IPv6 address and no way out through it. */
function preferred(addresses: readonly CheckedAddress[]): CheckedAddress {
  const choice = addresses.find(({ family }) => family === 4) ?? addresses[0];
  if (choice === undefined) throw new ServerError('PUM_SOURCE_RESOLVE');
  return choice;
}

function unjudged(address: string): CheckedAddress {
  return { address, family: address.includes(':') ? 6 : 4 };
}

function refused(reason: string): ServerError {
  return new ServerError('PUM_SOURCE_REFUSED', { reason });
}

/** Whatever this server listens on is one of them. */
function machineAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap(
    (entries) => entries?.map(({ address }) => address) ?? [],
  );
}

/** getaddrinfo, so that /etc/hosts holds as well. */
const resolveBySystem: Resolver = (host) =>
  new Promise((resolve, reject) => {
    systemLookup(host, { all: true, verbatim: true }, (error, answers) => {
      if (error === null) resolve(answers.map((answer) => answer.address));
      else reject(error);
    });
  });
