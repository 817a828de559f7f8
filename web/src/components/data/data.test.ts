import { describe, expect, it } from 'vitest'
import { numbersOf, SHOWN } from './numbers'
import { paintEmbedding, paintWords, SIDE, type Colour } from './paint'

const RED: Colour = [255, 0, 0]
const BLUE: Colour = [0, 0, 255]
const GREY: Colour = [128, 128, 128]
const WHITE: Colour = [255, 255, 255]
const BLACK: Colour = [0, 0, 0]

function at(pixels: Uint8ClampedArray, x: number, y: number): number[] {
  return [...pixels.subarray((y * SIDE + x) * 4, (y * SIDE + x) * 4 + 3)]
}

describe('paintEmbedding', () => {
  const values = new Float32Array(128)
  values[0] = 0.5
  values[1] = -0.5
  values[127] = 0.25
  const pixels = paintEmbedding(values, { ground: WHITE, tile: GREY, negative: RED, positive: BLUE })

  it('draws positive bars up and negative bars down', () => {
    expect(at(pixels, 5, 10)).toEqual([...BLUE])
    expect(at(pixels, 5, 35)).toEqual([...GREY])
    expect(at(pixels, 29, 10)).toEqual([...GREY])
    expect(at(pixels, 29, 35)).toEqual([...RED])
  })

  it('puts the last component into the last tile, half as high', () => {
    expect(at(pixels, 15 * 24 + 5, 7 * 48 + 20)).toEqual([...BLUE])
    expect(at(pixels, 15 * 24 + 5, 7 * 48 + 5)).toEqual([...GREY])
  })

  it('draws all of them in the picture', () => {
    expect(pixels.length).toBe(SIDE * SIDE * 4)
    expect(pixels.every((value, index) => index % 4 !== 3 || value === 255)).toBe(true)
  })
})

describe('paintWords', () => {
  it('draws one block a word and fills the picture with a whole template', () => {
    const template = new Uint8Array(73_728)
    template[1] = 255
    template[73_727 - 1] = 255
    const pixels = paintWords(template, BLACK, WHITE)
    expect(at(pixels, 0, 0)).toEqual([...WHITE])
    expect(at(pixels, 1, 2)).toEqual([...WHITE])
    expect(at(pixels, 2, 0)).toEqual([...BLACK])
    expect(at(pixels, SIDE - 1, SIDE - 1)).toEqual([...WHITE])
  })
})

describe('numbersOf', () => {
  it('shows components with their sign', () => {
    expect(numbersOf({ kind: 'embedding', values: Float32Array.of(0.5, -0.25) })).toEqual({
      shown: ['+0.5000', '−0.2500'],
      more: 0,
    })
  })

  it('shows words most significant byte first and counts the rest', () => {
    const bytes = new Uint8Array(3 * (SHOWN + 7))
    bytes.set([0x01, 0x02, 0xff])
    const { shown, more } = numbersOf({ kind: 'words', bytes })
    expect(shown[0]).toBe('ff0201')
    expect(shown.length).toBe(SHOWN)
    expect(more).toBe(7)
  })
})
