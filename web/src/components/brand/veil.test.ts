import { describe, expect, it } from 'vitest'
import { reliefAt } from './contour'
import { fromCiphertext, hashed } from './noise'

describe('noise', () => {
  it('is the same on every visit and spreads evenly', () => {
    const values = Array.from({ length: 20_000 }, (_, index) => hashed(index, 7))
    expect(values).toEqual(Array.from({ length: 20_000 }, (_, index) => hashed(index, 7)))
    const tenths = Array.from({ length: 10 }, (_, tenth) => values.filter((value) => Math.floor(value * 10) === tenth).length)
    for (const count of tenths) expect(Math.abs(count - 2000)).toBeLessThan(200)
  })

  it('differs from seed to seed', () => {
    expect(hashed(1, 1)).not.toBe(hashed(1, 2))
  })

  it('of a ciphertext is the middle byte of each 3-byte word, over and over', () => {
    const noise = fromCiphertext(Uint8Array.of(9, 128, 9, 9, 64, 9))
    expect([0, 1, 2].map(noise)).toEqual([0.5, 0.25, 0.5])
    expect(fromCiphertext(new Uint8Array(2))(5)).toBe(hashed(5))
  })
})

describe('the invented face', () => {
  it('has nobody beside it and somebody in the middle', () => {
    expect(reliefAt(0, 0)).toBeDefined()
    expect(reliefAt(1.2, -0.5)).toBeUndefined()
    expect(reliefAt(0, -1.5)).toBeUndefined()
  })

  it('rises at the nose, is dark at the eyes, and stays within its limits', () => {
    expect(reliefAt(0, 0.3)?.rise).toBeGreaterThan(reliefAt(0.45, 0.3)?.rise ?? 1)
    expect(reliefAt(0.31, -0.065)?.tone).toBeGreaterThan(0.9)
    for (let v = -1.2; v < 1.5; v += 0.05) {
      for (let u = -1; u < 1; u += 0.05) {
        const { tone = 0, rise = 0 } = reliefAt(u, v) ?? {}
        expect(tone).toBeGreaterThanOrEqual(0)
        expect(tone).toBeLessThanOrEqual(1)
        expect(rise).toBeLessThan(1.4)
      }
    }
  })
})
