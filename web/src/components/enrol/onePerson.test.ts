import { describe, expect, it } from 'vitest'
import { onePerson } from './onePerson'

const unit = (...values: number[]): Float32Array => Float32Array.from(values)

describe('onePerson', () => {
  it('accepts pictures that are alike, and a single one', () => {
    expect(onePerson([unit(1, 0)])).toBe(true)
    expect(onePerson([unit(1, 0), unit(0.8, 0.6), unit(0.8, -0.6)])).toBe(false)
    expect(onePerson([unit(1, 0), unit(0.8, 0.6)])).toBe(true)
  })

  it('does not let one stranger hide among friends', () => {
    expect(onePerson([unit(1, 0), unit(1, 0), unit(0, 1)])).toBe(false)
  })
})
