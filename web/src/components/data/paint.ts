/** Every data picture is this many pixels wide and high: 16×8 tiles of 24×48, or 192×128 words of 2×3. */
export const SIDE = 384

const TILE = { columns: 16, width: 24, height: 48, gap: 3 } as const
const WORD = { columns: 192, width: 2, height: 3, bytes: 3 } as const

/** A colour as three bytes. */
export type Colour = readonly [red: number, green: number, blue: number]
export type Pixels = Uint8ClampedArray<ArrayBuffer>

export interface EmbeddingColours {
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
export function paintEmbedding(embedding: Float32Array, colours: EmbeddingColours): Pixels {
  const pixels = new Uint8ClampedArray(SIDE * SIDE * 4)
  fill(pixels, { x: 0, y: 0, width: SIDE, height: SIDE }, colours.ground)
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

interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
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
