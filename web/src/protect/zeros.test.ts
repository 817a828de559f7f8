import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import SEAL from 'node-seal'
import type { MainModule } from 'node-seal'
import type { Bytes } from './bytes'
import { KEY_PRIMES, N, packWords, PRIMES } from './ring'
import { ZeroMaker } from './zeros'

/** A public key of another instance, in wire form. */
function publicKeyOf(seal: MainModule): Bytes {
  const moduli = new seal.VectorModulus()
  for (const prime of KEY_PRIMES) moduli.push_back(new seal.Modulus(BigInt(prime)))
  const parameters = new seal.EncryptionParameters(seal.SchemeType.ckks)
  parameters.setPolyModulusDegree(N)
  parameters.setCoeffModulus(moduli)
  const context = new seal.SEALContext(parameters, true, seal.SecLevelType.tc128)
  const key = new seal.KeyGenerator(context).createPublicKey()
  const saved = key.saveToArray(seal.ComprModeType.none) as Uint8Array
  const tail = saved.slice(saved.length - 2 * KEY_PRIMES.length * N * 8)
  return packWords(Float64Array.from(new BigUint64Array(tail.buffer), Number))
}

describe('encryptions of zero', () => {
  let zeros: ZeroMaker
  let publicKey: Bytes

  beforeAll(async () => {
    zeros = await ZeroMaker.load()
    publicKey = publicKeyOf(await SEAL())
  })

  it('are residues below their primes, and fresh', () => {
    const first = zeros.encryptZero(publicKey)
    const second = zeros.encryptZero(publicKey)
    expect(first.length).toBe(2 * PRIMES.length * N)
    first.forEach((word, index) => {
      if (word >= (PRIMES[Math.floor(index / N) % PRIMES.length] ?? 0)) throw new RangeError(`word ${index}`)
    })
    expect(first.filter((word, index) => word === second[index]).length).toBeLessThan(N / 100)
  })

  it('take every random bit from crypto.getRandomValues', () => {
    const drawn = vi.spyOn(crypto, 'getRandomValues').mockImplementation((view) => {
      new Uint8Array((view as Uint8Array).buffer, (view as Uint8Array).byteOffset, (view as Uint8Array).byteLength).fill(7)
      return view
    })
    onTestFinished(() => {
      drawn.mockRestore()
    })
    const first = zeros.encryptZero(publicKey)
    expect(drawn.mock.calls.length).toBeGreaterThan(0)
    const bytes = drawn.mock.calls.reduce((sum, [view]) => sum + (view as Uint8Array).byteLength, 0)
    expect(bytes).toBeGreaterThanOrEqual(64)
    expect(zeros.encryptZero(publicKey)).toEqual(first)
  })

  it('are not made under what is no public key', () => {
    const zeroSecond = publicKey.slice().fill(0, publicKey.length / 2)
    const tooLarge = publicKey.slice()
    tooLarge.set([0xff, 0xff, 0xff], 0)
    for (const wrong of [publicKey.slice(1), zeroSecond, tooLarge, new Uint8Array()]) {
      expect(() => zeros.encryptZero(wrong)).toThrow('malformed_ciphertext')
    }
  })
})
