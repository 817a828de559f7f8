/** Where the picture's noise comes from: real ciphertext when there is some, else a fixed hash. Never a secret. */

/** A number in [0, 1) for cell `index`. */
export type Noise = (index: number) => number

/** The finaliser of MurmurHash3: neighbouring inputs, unrelated outputs, the same on every visit. */
export function hashed(index: number, seed = 0): number {
  let word = (Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(seed + 1, 0x85ebca6b)) >>> 0
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35)
  return ((word ^ (word >>> 16)) >>> 0) / 2 ** 32
}

/** The middle bytes of 3-byte residues; the lowest byte is as even, the highest is not (the primes are below 2^24). */
export function fromCiphertext(bytes: Uint8Array): Noise {
  const words = Math.floor(bytes.length / 3)
  return words === 0 ? hashed : (index) => (bytes[(index % words) * 3 + 1] ?? 0) / 256
}
