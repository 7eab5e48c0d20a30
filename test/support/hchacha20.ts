// HChaCha20 (draft-irtf-cfrg-xchacha-03 §2.2) in plain arithmetic: the half of XChaCha20 that Node's crypto does
// not have. Used by tests that want its bytes from elsewhere than the product has them from. Not in constant time.

const ROUND_PAIRS = 10;

/** The columns of the state, then its diagonals. */
const QUARTERS = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
] as const;

/** The subkey of 32 bytes for a key of 32 and a nonce of 16. */
export function hchacha20(key: Uint8Array, nonce: Uint8Array): Uint8Array {
  const input = Buffer.concat([Buffer.from('expand 32-byte k'), key, nonce]);
  const state = Uint32Array.from({ length: 16 }, (_, n) => input.readUInt32LE(4 * n));
  for (let pair = 0; pair < ROUND_PAIRS; pair++) {
    for (const [a, b, c, d] of QUARTERS) {
      step(state, a, b, d, 16);
      step(state, c, d, b, 12);
      step(state, a, b, d, 8);
      step(state, c, d, b, 7);
    }
  }
  const subkey = Buffer.alloc(32);
  for (let n = 0; n < 4; n++) {
    subkey.writeUInt32LE(state[n]!, 4 * n);
    subkey.writeUInt32LE(state[12 + n]!, 16 + 4 * n);
  }
  return subkey;
}

/** x += y; z = (z ^ x) rotated left. */
function step(state: Uint32Array, x: number, y: number, z: number, bits: number): void {
  state[x]! += state[y]!;
  const mixed = state[z]! ^ state[x]!;
  state[z] = (mixed << bits) | (mixed >>> (32 - bits));
}
