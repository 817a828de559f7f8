/**
 * The ring Z_q[X]/(X^4096 + 1) of suite 0x01 and its wire, exact in doubles: a product of two residues stays below
 * 2^48. Word i of an NTT is the value at ψ^(2·r(i)+1), r reversing 12 bits: SEAL's own order.
 */
import type { Bytes } from './bytes'
import { ProtectError } from './errors'

export const N = 4096
export const PRIMES = [16736257, 16760833, 974849] as const
export const SPECIAL_PRIME = 1032193
export const KEY_PRIMES = [...PRIMES, SPECIAL_PRIME] as const

const RESIDUE_BYTES = 3
const POLYNOMIAL_BYTES = N * RESIDUE_BYTES
export const CIPHERTEXT_BYTES = 2 * PRIMES.length * POLYNOMIAL_BYTES
export const PUBLIC_KEY_BYTES = 2 * KEY_PRIMES.length * POLYNOMIAL_BYTES

/** left·right mod prime, of residues below 2^24. */
export function multiply(left: number, right: number, prime: number): number {
  const product = left * right
  return product - Math.floor(product / prime) * prime
}

/**
 * The NTT modulo `prime` of N integer coefficients between −2^52 and 2^52.
 * @returns N residues in [0, prime)
 */
export function forward(coefficients: Float64Array, prime: number): Float64Array {
  const words = coefficients.map((value) => value - Math.floor(value / prime) * prime)
  const roots = bitReversedRoots(prime)
  for (let blocks = 1, half = N / 2; blocks < N; blocks *= 2, half /= 2) {
    for (let block = 0; block < blocks; block++) {
      butterflies(words, 2 * block * half, half, at(roots, blocks + block), prime)
    }
  }
  return words
}

/** One block of the Cooley–Tukey transform: (a, b) → (a + b·root, a − b·root). */
function butterflies(words: Float64Array, start: number, half: number, root: number, prime: number): void {
  for (let index = start; index < start + half; index++) {
    const upper = at(words, index)
    const lower = multiply(at(words, index + half), root, prime)
    const sum = upper + lower
    words[index] = sum >= prime ? sum - prime : sum
    words[index + half] = upper >= lower ? upper - lower : upper - lower + prime
  }
}

/**
 * Reads residues of 3 bytes, little-endian, in the order component, prime, NTT index.
 * @throws ProtectError malformed_ciphertext for a wrong length, a residue not below its prime, or an all-zero second
 *   component
 */
export function parseWords(bytes: Bytes, components: number, primes: readonly number[] = PRIMES): Float64Array {
  const expected = components * primes.length * POLYNOMIAL_BYTES
  if (bytes.length !== expected) {
    throw new ProtectError('malformed_ciphertext', { got: `${bytes.length} B`, expected: `${expected} B` })
  }
  const words = new Float64Array(expected / RESIDUE_BYTES)
  for (let index = 0, offset = 0; index < words.length; index++, offset += RESIDUE_BYTES) {
    words[index] = at(bytes, offset) | (at(bytes, offset + 1) << 8) | (at(bytes, offset + 2) << 16)
  }
  checkResidues(words, primes)
  const component = primes.length * N
  if (!words.subarray(component, 2 * component).some((word) => word !== 0)) {
    throw new ProtectError('malformed_ciphertext', { got: 'second component 0', expected: 'second component not 0' })
  }
  return words
}

function checkResidues(words: Float64Array, primes: readonly number[]): void {
  for (let row = 0; row * N < words.length; row++) {
    const prime = at(primes, row % primes.length)
    if (words.subarray(row * N, (row + 1) * N).some((word) => word >= prime)) {
      throw new ProtectError('malformed_ciphertext', { got: 'residue >= prime', expected: 'residues below their primes' })
    }
  }
}

/** The wire form of residues in [0, 2^24). */
export function packWords(words: Float64Array): Bytes {
  const bytes = new Uint8Array(words.length * RESIDUE_BYTES)
  words.forEach((word, index) => {
    bytes[index * RESIDUE_BYTES] = word
    bytes[index * RESIDUE_BYTES + 1] = word >>> 8
    bytes[index * RESIDUE_BYTES + 2] = word >>> 16
  })
  return bytes
}

const tables = new Map<number, Float64Array>()

/** ψ^(r(i)) for the smallest primitive 8192-th root of unity ψ, r reversing 12 bits. */
function bitReversedRoots(prime: number): Float64Array {
  const known = tables.get(prime)
  if (known) return known
  const root = smallestRoot(prime)
  const roots = new Float64Array(N)
  for (let index = 0, power = 1; index < N; index++, power = multiply(power, root, prime)) {
    roots[reverseBits(index)] = power
  }
  tables.set(prime, roots)
  return roots
}

/** ψ: the smallest primitive 8192-th root of unity modulo `prime`. */
export function smallestRoot(prime: number): number {
  let root = 0
  for (let base = 2; powerOf(root, N, prime) !== prime - 1; base++) root = powerOf(base, (prime - 1) / (2 * N), prime)
  const square = multiply(root, root, prime)
  let smallest = root
  for (let odd = 1, power = root; odd < 2 * N; odd += 2, power = multiply(power, square, prime)) {
    smallest = Math.min(smallest, power)
  }
  return smallest
}

function powerOf(base: number, exponent: number, prime: number): number {
  let result = 1
  for (let square = base, rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = multiply(result, square, prime)
    square = multiply(square, square, prime)
  }
  return result
}

function reverseBits(index: number): number {
  let reversed = 0
  for (let bit = 1; bit < N; bit *= 2) reversed = reversed * 2 + (index & bit ? 1 : 0)
  return reversed
}

/** An element; NaN, which no check lets through, where there is none. */
export function at(values: ArrayLike<number>, index: number): number {
  return values[index] ?? Number.NaN
}
