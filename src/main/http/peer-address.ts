// The text of a peer's address from its network bytes, as node:net prints it, so that every engine names a
// client alike. Main thread; pure.
import { SocketAddress } from 'node:net';

/** `bytes` is 4 bytes of IPv4 or 16 of IPv6; anything else (a connection already gone) gives ''. */
export function peerAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) return '';
  if (isMapped(bytes)) return `::ffff:${bytes.subarray(12).join('.')}`;
  const hex = Buffer.from(bytes).toString('hex');
  const long = hex.match(/.{4}/g)?.join(':') ?? '::';
  return new SocketAddress({ address: long, family: 'ipv6' }).address;
}

/** An IPv4 peer of a socket that listens on `::`. */
function isMapped(bytes: Uint8Array): boolean {
  for (let index = 0; index < 10; index++) if (bytes[index] !== 0) return false;
  return bytes[10] === 0xff && bytes[11] === 0xff;
}
