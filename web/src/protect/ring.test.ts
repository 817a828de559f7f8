import { describe, expect, it } from 'vitest'
import vectors from '../../../vectors/ring.json'
import { sha256, type Bytes } from './bytes'
import { ProtectError } from './errors'
import { forward, KEY_PRIMES, multiply, N, packWords, parseWords, PRIMES, smallestRoot } from './ring'

function padded(coefficients: readonly number[]): Float64Array {
  const whole = new Float64Array(N)
  whole.set(coefficients)
  return whole
}

async function digest(words: Float64Array): Promise<string> {
  const hash = await sha256(new Uint8Array(Uint32Array.from(words).buffer))
  return Buffer.from(hash).toString('hex')
}

/** Two components of residues that count up. */
function residues(): Float64Array {
  return Float64Array.from({ length: 2 * PRIMES.length * N }, (_, index) => {
    const prime = PRIMES[Math.floor(index / N) % PRIMES.length] ?? 1
    return (index * 7919) % prime
  })
}

describe('the transform', () => {
  it('has the primes and roots of SEAL', () => {
    expect(vectors.n).toBe(N)
    expect(vectors.primes).toEqual(KEY_PRIMES)
    expect(KEY_PRIMES.map(smallestRoot)).toEqual(vectors.roots)
  })

  it.each(vectors.transforms)('gives the words of the definition', async ({ coefficients, sha256: expected, first_words }) => {
    for (const [row, prime] of KEY_PRIMES.entries()) {
      const words = forward(padded(coefficients), prime)
      expect(Array.from(words.subarray(0, 8))).toEqual(first_words[row])
      expect(await digest(words)).toBe(expected[row])
    }
  })

  it('multiplies the largest residues exactly', () => {
    for (const prime of KEY_PRIMES) {
      for (const [left, right] of [[prime - 1, prime - 1], [prime - 1, 1], [prime - 2, prime - 1], [0, prime - 1]] as const) {
        expect(BigInt(multiply(left, right, prime))).toBe((BigInt(left) * BigInt(right)) % BigInt(prime))
      }
    }
  })

  it('takes coefficients of any sign and size', () => {
    const [prime] = PRIMES
    const far = padded([-(2 ** 52), 2 ** 52, -prime, prime])
    const near = Float64Array.from(far, (value) => Number(((BigInt(value) % BigInt(prime)) + BigInt(prime)) % BigInt(prime)))
    expect(forward(far, prime)).toEqual(forward(near, prime))
  })
})

describe('the wire', () => {
  const wire = packWords(residues())

  it('is three bytes a residue, little-endian', () => {
    expect(wire.length).toBe(73_728)
    expect(Array.from(wire.subarray(3, 6))).toEqual([0xef, 0x1e, 0])
    expect(parseWords(wire, 2)).toEqual(residues())
  })

  function refusal(change: (bytes: Bytes) => Bytes): string {
    try {
      parseWords(change(wire.slice()), 2)
    } catch (error) {
      if (error instanceof ProtectError) return error.code
    }
    return 'accepted'
  }

  it.each([
    ['too short', (bytes: Bytes) => bytes.slice(1)],
    ['too long', (bytes: Bytes) => Uint8Array.from([...bytes, 0])],
    ['empty', () => new Uint8Array()],
    ['a residue at its prime', (bytes: Bytes) => withResidue(bytes, 0, PRIMES[0])],
    ['a residue above the smallest prime', (bytes: Bytes) => withResidue(bytes, 5 * N, PRIMES[2])],
    ['a residue of all ones', (bytes: Bytes) => withResidue(bytes, 6 * N - 1, 0xffffff)],
    ['a second component of zeros', (bytes: Bytes) => bytes.fill(0, bytes.length / 2)],
  ])('refuses %s', (_, change) => {
    expect(refusal(change)).toBe('malformed_ciphertext')
  })

  it('takes the largest residues', () => {
    expect(refusal((bytes) => withResidue(bytes, 6 * N - 1, PRIMES[2] - 1))).toBe('accepted')
  })
})

function withResidue(bytes: Bytes, index: number, value: number): Bytes {
  bytes.set([value & 255, (value >> 8) & 255, value >> 16], 3 * index)
  return bytes
}
