/** An embedding becomes the coefficients of an RLWE plaintext, and a ciphertext (protocol §2). */
import type { Bytes } from './bytes'
import { ProtectError } from './errors'
import { at, forward, N, packWords, PRIMES } from './ring'

export const DIMENSION = 128
export const SCALE = 1 << 15
const LENGTH_SLACK = 1e-3

/** Coefficient i is ⌊Δ·x_i + ½⌋. */
export function encodeTemplate(embedding: Float32Array): Float64Array {
  const coefficients = new Float64Array(N)
  coefficients.set(scaled(embedding))
  return coefficients
}

/** Coefficient 127−i is ⌊Δ·x_i + ½⌋. */
export function encodeProbe(embedding: Float32Array): Float64Array {
  const coefficients = new Float64Array(N)
  coefficients.set(scaled(embedding).reverse())
  return coefficients
}

/**
 * Adds a message to an encryption of zero, which it overwrites.
 * @param zero residues of two components modulo three primes, in NTT order
 * @returns the wire form, 73,728 bytes
 */
export function addMessage(zero: Float64Array, coefficients: Float64Array): Bytes {
  PRIMES.forEach((prime, row) => {
    const words = zero.subarray(row * N, (row + 1) * N)
    forward(coefficients, prime).forEach((residue, index) => {
      const sum = at(words, index) + residue
      words[index] = sum >= prime ? sum - prime : sum
    })
  })
  return packWords(zero)
}

/** @throws ProtectError unusable_embedding where it is not 128 finite numbers of length one */
function scaled(embedding: Float32Array): Float64Array {
  if (embedding.length !== DIMENSION) {
    throw new ProtectError('unusable_embedding', { got: embedding.length, expected: DIMENSION })
  }
  const length = Math.hypot(...embedding)
  if (!(Math.abs(length - 1) <= LENGTH_SLACK)) {
    throw new ProtectError('unusable_embedding', { got: 'length != 1', expected: 'length 1' })
  }
  return Float64Array.from(embedding, (value) => Math.floor(value * SCALE + 0.5))
}
