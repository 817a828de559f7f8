import type { Excerpt } from './records'

/** Every data picture is this many pixels wide and high. */
export const SIDE = 384

const TILE = { columns: 16, width: 24, height: 48, gap: 3 } as const
const WORD = { columns: 192, width: 2, height: 3, bytes: 3 } as const
const COUNT = { columns: 64, width: 6, height: 12 } as const
/** 3×5 dots each, row by row. */
const GLYPHS = { '0': '####.##.##.####', '1': '.#.##..#..#.###', '∗': '...#.#.#.#.#...' } as const
const GLYPH = { columns: 3, rows: 5 } as const

/** A colour as three bytes. */
export type Colour = readonly [red: number, green: number, blue: number]
export type Pixels = Uint8ClampedArray<ArrayBuffer>

/** What is below zero is drawn in another colour than what is above. */
export interface SignColours {
  readonly ground: Colour
  readonly tile: Colour
  readonly negative: Colour
  readonly positive: Colour
}

/**
 * The 128 components of an embedding as bars, one in each tile, 16 tiles in a row: up from the middle and in one
 * colour where positive, down and in another where negative; the largest one fills its half.
 * @returns RGBA bytes, SIDE×SIDE
 */
export function paintEmbedding(embedding: Float32Array, colours: SignColours): Pixels {
  const pixels = blank(colours.ground)
  const peak = embedding.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1
  const room = { width: TILE.width - TILE.gap, height: TILE.height - TILE.gap }
  embedding.forEach((value, index) => {
    const x = (index % TILE.columns) * TILE.width
    const y = Math.floor(index / TILE.columns) * TILE.height
    fill(pixels, { x, y, ...room }, colours.tile)
    const height = Math.max(1, Math.round((Math.abs(value) / peak) * (room.height / 2)))
    const middle = y + Math.round(room.height / 2)
    const top = value < 0 ? middle : middle - height
    fill(pixels, { x, y: top, width: room.width, height }, value < 0 ? colours.negative : colours.positive)
  })
  return pixels
}

/**
 * The words of a ciphertext as they lie on the server, one 2×3 block for each, 192 in a row. The grey is the middle
 * byte of the word: the top one never fills up under the 20-bit prime.
 * @param ciphertext 3 bytes a word, 24,576 words
 * @returns RGBA bytes, SIDE×SIDE
 */
export function paintWords(ciphertext: Uint8Array, dark: Colour, light: Colour): Pixels {
  const pixels = new Uint8ClampedArray(SIDE * SIDE * 4)
  const words = Math.floor(ciphertext.length / WORD.bytes)
  for (let word = 0; word < words; word += 1) {
    const share = (ciphertext[word * WORD.bytes + 1] ?? 0) / 255
    const x = (word % WORD.columns) * WORD.width
    const y = Math.floor(word / WORD.columns) * WORD.height
    fill(pixels, { x, y, width: WORD.width, height: WORD.height }, mix(dark, light, share))
  }
  return pixels
}

/**
 * Ranks as a matrix: a row is a group, and its cells go from the colour of its first rank to that of its last.
 * @param ranks each of 0…group−1 once in a group
 * @returns RGBA bytes, SIDE×SIDE
 */
export function paintRanks(ranks: Uint8Array, group: number, first: Colour, last: Colour): Pixels {
  const width = SIDE / group
  const height = (SIDE * group) / ranks.length
  const pixels = blank(first)
  ranks.forEach((rank, index) => {
    const box = { x: (index % group) * width, y: Math.floor(index / group) * height, width: width - 1, height: height - 1 }
    fill(pixels, box, mix(first, last, rank / (group - 1)))
  })
  return pixels
}

/**
 * 2048 counts, 64 in a row: the further from zero, the stronger the colour of the sign.
 * @returns RGBA bytes, SIDE×SIDE
 */
export function paintCounts(counts: Int8Array, { ground, negative, positive }: SignColours): Pixels {
  const pixels = blank(ground)
  const peak = counts.reduce((most, count) => Math.max(most, Math.abs(count)), 0) || 1
  counts.forEach((count, index) => {
    const x = (index % COUNT.columns) * COUNT.width
    const y = Math.floor(index / COUNT.columns) * COUNT.height
    const colour = mix(ground, count < 0 ? negative : positive, Math.abs(count) / peak)
    fill(pixels, { x, y, width: COUNT.width - 1, height: COUNT.height - 1 }, colour)
  })
  return pixels
}

/**
 * Some records as a table of 0, 1 and ∗: a record a row, a column for each position that any of them names.
 * @returns RGBA bytes, SIDE×SIDE
 */
export function paintRecords({ positions, rows }: Excerpt, colours: SignColours & { readonly any: Colour }): Pixels {
  const pixels = blank(colours.ground)
  const cell = { width: Math.floor(SIDE / positions.length), height: Math.floor(SIDE / rows.length) }
  const dot = Math.max(1, Math.floor((cell.width - 2) / GLYPH.columns))
  rows.forEach((row, y) => {
    row.forEach((value, x) => {
      const box = { x: x * cell.width, y: y * cell.height, width: cell.width - 1, height: cell.height - 1 }
      if (value !== '∗') fill(pixels, box, colours.tile)
      const ink = value === '∗' ? colours.any : value === '1' ? colours.positive : colours.negative
      write(pixels, GLYPHS[value], { ...box, dot: value === '∗' ? Math.ceil(dot / 2) : dot }, ink)
    })
  })
  return pixels
}

interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** A glyph in the middle of a box. */
function write(pixels: Pixels, glyph: string, { dot, ...box }: Box & { dot: number }, ink: Colour): void {
  const left = box.x + Math.round((box.width - GLYPH.columns * dot) / 2)
  const top = box.y + Math.round((box.height - GLYPH.rows * dot) / 2)
  Array.from(glyph).forEach((mark, index) => {
    if (mark !== '#') return
    const x = left + (index % GLYPH.columns) * dot
    const y = top + Math.floor(index / GLYPH.columns) * dot
    fill(pixels, { x, y, width: dot, height: dot }, ink)
  })
}

function blank(ground: Colour): Pixels {
  const pixels = new Uint8ClampedArray(SIDE * SIDE * 4)
  fill(pixels, { x: 0, y: 0, width: SIDE, height: SIDE }, ground)
  return pixels
}

function fill(pixels: Pixels, { x, y, width, height }: Box, [red, green, blue]: Colour): void {
  for (let row = y; row < Math.min(SIDE, y + height); row += 1) {
    for (let column = x; column < Math.min(SIDE, x + width); column += 1) {
      const at = (row * SIDE + column) * 4
      pixels[at] = red
      pixels[at + 1] = green
      pixels[at + 2] = blue
      pixels[at + 3] = 255
    }
  }
}

function mix(from: Colour, to: Colour, share: number): Colour {
  return [
    from[0] + (to[0] - from[0]) * share,
    from[1] + (to[1] - from[1]) * share,
    from[2] + (to[2] - from[2]) * share,
  ]
}
