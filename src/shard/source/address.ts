// What kind of network a literal address belongs to, and the operator's list of exceptions. Asked by
// guard.ts, in shards and in loaders, for every address before anything is sent to it. Pure arithmetic: no
// name is looked up here, and text that is not a literal address is answered with null.

import { ServerError } from '../../shared/errors.js';

/** Everything but `public` is refused unless the operator allows it. */
export type AddressClass =
  | 'public'
  | 'unspecified'
  | 'loopback'
  | 'private'
  | 'shared'
  | 'link-local'
  | 'site-local'
  | 'metadata'
  | 'multicast'
  | 'broadcast'
  | 'documentation'
  | 'benchmarking'
  | 'embedded'
  | 'reserved';

interface Network {
  /** 4 bytes for IPv4, 16 for IPv6. */
  readonly bytes: readonly number[];
  readonly prefix: number;
}

type Rule = readonly [cidr: string, is: AddressClass];

// The special-purpose registries of IANA (RFC 6890 and its successors); the first rule that holds decides.
const IPV4_RULES: readonly Rule[] = [
  ['0.0.0.0/8', 'unspecified'],
  ['10.0.0.0/8', 'private'],
  // Alibaba Cloud's metadata service, inside the shared range.
  ['100.100.100.200/32', 'metadata'],
  ['100.64.0.0/10', 'shared'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.169.254/32', 'metadata'],
  ['169.254.0.0/16', 'link-local'],
  // Azure's host agent: a public address that is answered only inside.
  ['168.63.129.16/32', 'metadata'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'reserved'],
  ['192.0.2.0/24', 'documentation'],
  ['192.88.99.0/24', 'reserved'],
  ['192.168.0.0/16', 'private'],
  ['198.18.0.0/15', 'benchmarking'],
  ['198.51.100.0/24', 'documentation'],
  ['203.0.113.0/24', 'documentation'],
  ['224.0.0.0/4', 'multicast'],
  ['255.255.255.255/32', 'broadcast'],
  ['240.0.0.0/4', 'reserved'],
];

const IPV6_RULES: readonly Rule[] = [
  ['::/128', 'unspecified'],
  ['::1/128', 'loopback'],
  // IPv4-compatible addresses are long deprecated; no honest name has one.
  ['::/96', 'embedded'],
  // IPv4-translated addresses (RFC 2765) and NAT64 for local use (RFC 8215).
  ['::ffff:0:0:0/96', 'embedded'],
  ['64:ff9b:1::/48', 'embedded'],
  ['fc00::/7', 'private'],
  ['fe80::/10', 'link-local'],
  ['fec0::/10', 'site-local'],
  ['ff00::/8', 'multicast'],
  // Teredo hides its IPv4 addresses by inversion and dials through a relay of the address's choice.
  ['2001::/32', 'embedded'],
  ['2001:2::/48', 'benchmarking'],
  // The rest of the protocol assignments: ORCHID, anycast services and what is not given out.
  ['2001::/23', 'reserved'],
  ['2001:db8::/32', 'documentation'],
  ['3fff::/20', 'documentation'],
];

/** Forms that carry an IPv4 address in plain sight, at this byte offset; that address is judged. */
const EMBEDDING: readonly (readonly [cidr: string, offset: number])[] = [
  ['::ffff:0:0/96', 12],
  ['64:ff9b::/96', 12],
  ['2002::/16', 2],
];

const compile = <T>(rules: readonly (readonly [string, T])[]): readonly (readonly [Network, T])[] =>
  rules.map(([text, is]) => {
    const network = parseCidr(text);
    if (network === null) throw new TypeError(`not a network: ${text}`);
    return [network, is] as const;
  });

const ipv4Rules = compile(IPV4_RULES);
const ipv6Rules = compile(IPV6_RULES);
const embedding = compile(EMBEDDING);
/** The only part of IPv6 that is given out as global unicast. */
const globalUnicast: Network = { bytes: [0x20, ...new Array<number>(15).fill(0)], prefix: 3 };

const mappedNetwork: Network = {
  bytes: [...new Array<number>(10).fill(0), 0xff, 0xff, 0, 0, 0, 0],
  prefix: 96,
};

/** The class of a literal IPv4 or IPv6 address (no brackets, no zone), or null for any other text. */
export function classifyAddress(text: string): AddressClass | null {
  const bytes = parseAddress(text);
  if (bytes === null) return null;
  return bytes.length === 4 ? classifyIpv4(bytes) : classifyIpv6(bytes);
}

/** 4 or 16 bytes of a literal address, or null. IPv4 takes four plain decimal numbers and nothing else. */
export function parseAddress(text: string): readonly number[] | null {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** An address or a CIDR as a network; bits behind the prefix are ignored. Null when it is neither. */
export function parseCidr(text: string): Network | null {
  const slash = text.indexOf('/');
  const bytes = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (bytes === null) return null;
  if (slash < 0) return { bytes, prefix: bytes.length * 8 };
  const digits = text.slice(slash + 1);
  const prefix = Number(digits);
  if (!/^\d{1,3}$/.test(digits) || prefix > bytes.length * 8) return null;
  return { bytes, prefix };
}

/** One spelling for one address; an IPv4-mapped address is the IPv4 address it holds. */
export function addressKey(address: string): string {
  const bytes = parseAddress(address);
  if (bytes === null) return address;
  return unmap(bytes).join('.');
}

/** The addresses that an operator opens although they are not public (`pumice.sources.allowPrivate`). */
export class AllowList {
  readonly #networks: readonly Network[];

  /** Throws PUM_CONFIG_INVALID naming the first entry that is neither an address nor a CIDR. */
  constructor(entries: readonly string[]) {
    this.#networks = entries.map((entry) => {
      const network = parseCidr(entry.trim());
      if (network === null) {
        const reason = `pumice.sources.allowPrivate: '${entry}' is neither an address nor a CIDR`;
        throw new ServerError('PUM_CONFIG_INVALID', { reason });
      }
      return network;
    });
  }

  /** Whether an entry holds this literal address; an IPv4-mapped one counts as the IPv4 address it is. */
  has(address: string): boolean {
    const bytes = parseAddress(address);
    if (bytes === null) return false;
    const plain = unmap(bytes);
    return this.#networks.some((network) => holds(network, bytes) || holds(network, plain));
  }
}

function unmap(bytes: readonly number[]): readonly number[] {
  return holds(mappedNetwork, bytes) ? bytes.slice(12) : bytes;
}

function classifyIpv4(bytes: readonly number[]): AddressClass {
  return ipv4Rules.find(([network]) => holds(network, bytes))?.[1] ?? 'public';
}

function classifyIpv6(bytes: readonly number[]): AddressClass {
  for (const [network, offset] of embedding) {
    if (holds(network, bytes)) return classifyIpv4(bytes.slice(offset, offset + 4));
  }
  const rule = ipv6Rules.find(([network]) => holds(network, bytes));
  if (rule !== undefined) return rule[1];
  if (!holds(globalUnicast, bytes)) return 'reserved';
  // ISATAP (RFC 5214): an interface identifier of 0000:5efe or 0200:5efe ends in an IPv4 address.
  if (((bytes[8] ?? 0) & 0xfd) === 0 && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe) {
    return classifyIpv4(bytes.slice(12));
  }
  return 'public';
}

function holds(network: Network, bytes: readonly number[]): boolean {
  if (network.bytes.length !== bytes.length) return false;
  for (let bit = 0, index = 0; bit < network.prefix; bit += 8, index++) {
    const left = network.prefix - bit;
    const mask = left >= 8 ? 0xff : (0xff << (8 - left)) & 0xff;
    if ((((network.bytes[index] ?? 0) ^ (bytes[index] ?? 0)) & mask) !== 0) return false;
  }
  return true;
}

function parseIpv4(text: string): readonly number[] | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  const bytes: number[] = [];
  for (const part of parts) {
    // No leading zeros: some readers take them for octal.
    if (!/^(0|[1-9]\d{0,2})$/.test(part)) return null;
    const value = Number(part);
    if (value > 255) return null;
    bytes.push(value);
  }
  return bytes;
}

function parseIpv6(text: string): readonly number[] | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', true) : [];
  if (head === null || tail === null) return null;
  const missing = 16 - head.length - tail.length;
  // `::` stands for at least one group of zeros.
  if (halves.length === 2 ? missing < 2 : missing !== 0) return null;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

/** The bytes of groups between colons; a dotted IPv4 address may stand last where `last` says so. */
function parseGroups(text: string, last: boolean): number[] | null {
  if (text === '') return [];
  const groups = text.split(':');
  const bytes: number[] = [];
  for (const [index, group] of groups.entries()) {
    if (last && index === groups.length - 1 && group.includes('.')) {
      const dotted = parseIpv4(group);
      if (dotted === null) return null;
      bytes.push(...dotted);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(group)) return null;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes.length <= 16 ? bytes : null;
}
