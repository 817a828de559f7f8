import { describe, expect, it } from 'vitest'
import vectors from '../../../vectors/homomorphic.json'
import { sha256 } from './bytes'
import { addMessage, DIMENSION, encodeProbe, encodeTemplate } from './homomorphic'
import { forward, N, packWords, PRIMES } from './ring'

describe('encoding', () => {
  it.each(vectors.cases)('equals the vectors', async ({ embedding, template, probe_words_sha256 }) => {
    const unit = Float32Array.from(embedding)
    expect(Array.from(encodeTemplate(unit).subarray(0, DIMENSION))).toEqual(template)
    const probe = encodeProbe(unit)
    expect(Array.from(probe.subarray(0, DIMENSION)).reverse()).toEqual(template)
    const words = PRIMES.flatMap((prime) => Array.from(forward(probe, prime)))
    const hash = await sha256(new Uint8Array(Uint32Array.from(words).buffer))
    expect(Buffer.from(hash).toString('hex')).toBe(probe_words_sha256)
  })

  it.each([
    ['too short', new Float32Array(127).fill(1 / Math.sqrt(127))],
    ['zero', new Float32Array(DIMENSION)],
    ['too long a vector', new Float32Array(DIMENSION).fill(0.1)],
    ['not a number', new Float32Array(DIMENSION).fill(Number.NaN)],
    ['infinite', new Float32Array(DIMENSION).fill(Number.POSITIVE_INFINITY)],
  ])('refuses what is %s', (_, embedding) => {
    for (const encode of [encodeTemplate, encodeProbe]) {
      expect(() => encode(embedding)).toThrow('unusable_embedding')
    }
  })
})

describe('adding a message', () => {
  it('changes the first component only, modulo each prime', () => {
    const zero = Float64Array.from({ length: 2 * PRIMES.length * N }, (_, index) => {
      const prime = PRIMES[Math.floor(index / N) % PRIMES.length] ?? 1
      return prime - 1 - (index % 3)
    })
    const message = new Float64Array(N)
    message[0] = 2
    const expected = zero.map((word, index) => {
      const prime = PRIMES[Math.floor(index / N) % PRIMES.length] ?? 1
      return index < PRIMES.length * N ? (word + 2) % prime : word
    })
    expect(addMessage(zero.slice(), message)).toEqual(packWords(expected))
  })
})
