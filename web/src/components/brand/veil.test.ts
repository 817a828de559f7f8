import { describe, expect, it } from 'vitest'
import { reliefAt } from './contour'
import { fromCiphertext, hashed } from './noise'
import { reliefOf } from './relief'

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

describe('the relief of a picture', () => {
  const grid = { width: 300, height: 400, pitch: 4, centre: 0.5 }

  it('is the face’s, and worked out once for a size', () => {
    const relief = reliefOf(grid)
    const nose = relief(44, 150)
    expect(nose).toEqual(reliefAt(0, -1.16 + 44.5 * 4 * (2.68 / 400)))
    expect(relief(44, 0)).toBeUndefined()
    expect(reliefOf({ ...grid })(44, 150)).toBe(nose)
    expect(reliefOf({ ...grid, width: 280 })(44, 140)).not.toBe(nose)
  })

  it('of many sizes is not kept for ever', () => {
    const first = reliefOf(grid)
    for (let width = 1; width < 9; width += 1) reliefOf({ ...grid, width })
    expect(reliefOf(grid)).not.toBe(first)
  })
})
