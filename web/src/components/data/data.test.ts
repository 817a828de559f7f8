import { describe, expect, it } from 'vitest'
import { numbersOf, SHOWN } from './numbers'
import { paintCounts, paintEmbedding, paintRanks, paintRecords, paintWords, SIDE, type Colour } from './paint'
import { excerpt } from './records'
import { storedSource } from './sources'

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

/** Two records of a database over 2048 positions. */
const records = { positions: Uint16Array.of(5, 900, 2000, 5, 17, 900), values: Uint8Array.of(1, 0, 1, 0, 1, 1) }
const signs = { ground: WHITE, tile: GREY, negative: RED, positive: BLUE }

describe('paintRanks', () => {
  it('draws a group a row, from the first rank to the last', () => {
    const ranks = Uint8Array.from({ length: 512 }, (_, index) => (index < 32 ? index : 31 - (index % 32)))
    const pixels = paintRanks(ranks, 32, BLACK, WHITE)
    expect(at(pixels, 0, 0)).toEqual([...BLACK])
    expect(at(pixels, 31 * 12, 0)).toEqual([...WHITE])
    expect(at(pixels, 0, 24)).toEqual([...WHITE])
    expect(at(pixels, 31 * 12, 15 * 24)).toEqual([...BLACK])
  })
})

describe('paintCounts', () => {
  it('draws the largest in the full colour of its sign, and zero as ground', () => {
    const counts = new Int8Array(2048)
    counts.set([6, -6, 3])
    counts[2047] = -6
    const pixels = paintCounts(counts, signs)
    expect(at(pixels, 0, 0)).toEqual([...BLUE])
    expect(at(pixels, 6, 0)).toEqual([...RED])
    expect(at(pixels, 12, 0)).toEqual([128, 128, 255])
    expect(at(pixels, 18, 0)).toEqual([...WHITE])
    expect(at(pixels, 63 * 6, 31 * 12)).toEqual([...RED])
  })
})

describe('records', () => {
  it('are shown in the columns of the positions they name', () => {
    expect(excerpt(records, 2)).toEqual({
      positions: [5, 17, 900, 2000],
      rows: [
        ['1', '∗', '0', '1'],
        ['0', '1', '1', '∗'],
      ],
    })
  })

  it('are drawn with what they specify on a tile and the rest on the ground', () => {
    const pixels = paintRecords(excerpt(records, 2), { ...signs, any: BLACK })
    expect(at(pixels, 1, 1)).toEqual([...GREY])
    expect(at(pixels, 97, 1)).toEqual([...WHITE])
    const inks = new Set(Array.from({ length: SIDE }, (_, x) => at(pixels, x, 96).join()))
    expect(inks).toEqual(new Set([WHITE, GREY, BLACK, RED, BLUE].map((colour) => colour.join())))
  })
})

describe('storedSource', () => {
  it('reads what each protection stores, and refuses ranks nobody made', () => {
    expect(storedSource('negative', Uint8Array.of(1, 255))).toEqual({ kind: 'counts', counts: Int8Array.of(1, -1) })
    expect(storedSource('homomorphic', Uint8Array.of(1))).toMatchObject({ kind: 'words' })
    expect(() => storedSource('ranking', new Uint8Array(320))).toThrow('malformed_template')
  })
})

describe('numbersOf', () => {
  it('shows ranks, records and counts as what they are', () => {
    expect(numbersOf({ kind: 'ranks', ranks: Uint8Array.of(31, 0), group: 2 }).shown).toEqual(['31', '0'])
    expect(numbersOf({ kind: 'counts', counts: Int8Array.of(-3, 0, 7) }).shown).toEqual(['−3', '0', '+7'])
    expect(numbersOf({ kind: 'records', records }).shown).toEqual(['5=1 900=0 2000=1', '5=0 17=1 900=1'])
  })

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
