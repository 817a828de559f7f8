/**
 * Ciphertexts read as if they were plain, and opened with the key: coefficients 0…127, where an embedding lies.
 *
 * Word j of an NTT is the value of the polynomial at a point y_j, so coefficient k is the mean of word_j·y_j^−k.
 */
import type { Bytes } from '@/protect/bytes'
import { DIMENSION } from '@/protect/homomorphic'
import { at, forward, multiply, N, parseWords, PRIMES } from '@/protect/ring'
import { unit, type Vector } from './vectors'

const MODULUS = PRIMES.reduce((product, prime) => product * BigInt(prime), 1n)

/** The first component's coefficients where the embedding would be, had nothing been added to it. */
export function asIfPlain(template: Bytes): Vector {
  return unit(coefficients(parseWords(template, 2).subarray(0, PRIMES.length * N)))
}

/** c₀ + c₁·s: the scaled embedding and a little noise under the right key, anything at all under another. */
export function openWith(secret: Float64Array, template: Bytes): Vector {
  const words = parseWords(template, 2)
  const second = words.subarray(PRIMES.length * N)
  const opened = words.subarray(0, PRIMES.length * N).map((word, index) => {
    const prime = at(PRIMES, Math.floor(index / N))
    return (word + multiply(at(second, index), at(secret, index), prime)) % prime
  })
  return coefficients(opened)
}

/** Coefficients 0…127 between −q/2 and q/2 of a polynomial's words modulo the three primes. */
function coefficients(words: Float64Array): Vector {
  const residues = PRIMES.map((prime, row) => lowest(words.subarray(row * N, (row + 1) * N), prime))
  return Float64Array.from({ length: DIMENSION }, (_, index) => centred(residues.map((row) => at(row, index))))
}

function lowest(words: Float64Array, prime: number): Float64Array {
  const inversePoints = forward(inverseOfX(), prime)
  const share = prime - (prime - 1) / N
  const terms = words.map((word) => multiply(word, share, prime))
  const found = new Float64Array(DIMENSION)
  for (let place = 0; place < DIMENSION; place++) {
    let sum = 0
    for (let index = 0; index < N; index++) {
      const term = terms[index] ?? 0
      sum += term
      const product = term * (inversePoints[index] ?? 0)
      terms[index] = product - Math.floor(product / prime) * prime
    }
    found[place] = sum % prime
  }
  return found
}

/** −X^(N−1), which times X is −X^N = 1. */
function inverseOfX(): Float64Array {
  const polynomial = new Float64Array(N)
  polynomial[N - 1] = -1
  return polynomial
}

/** The whole number of least size with these residues (Chinese remainder theorem). */
function centred(residues: readonly number[]): number {
  let value = 0n
  let product = 1n
  PRIMES.forEach((prime, row) => {
    const size = BigInt(prime)
    const missing = (((BigInt(at(residues, row)) - value) % size) + size) % size
    value += product * ((missing * inverse(product % size, size)) % size)
    product *= size
  })
  return Number(2n * value > MODULUS ? value - MODULUS : value)
}

/** Fermat's inverse modulo a prime. */
function inverse(value: bigint, prime: bigint): bigint {
  let result = 1n
  for (let square = value, rest = prime - 2n; rest > 0n; rest /= 2n, square = (square * square) % prime)
    if (rest % 2n === 1n) result = (result * square) % prime
  return result
}
