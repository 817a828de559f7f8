/**
 * Reducing, resizing and cutting pictures, byte for byte as Pillow does it on the server.
 *
 * The arithmetic is that of Pillow's libImaging (Reduce.c, Resample.c): whole numbers throughout, so the detector
 * and the aligner start from the same bytes in both languages. Shared vectors hold both to it.
 */
import type { Pixels } from './types'

const CHANNELS = 3
const PRECISION_BITS = 22
const HALF = 1 << (PRECISION_BITS - 1)

function blank(width: number, height: number): Pixels {
  return { width, height, data: new Uint8Array(width * height * CHANNELS) }
}

/** Sums of blocks become their means: multiply by 2^24 / n, as Pillow does instead of dividing. */
export function blockMean(factor: number): (sum: number) => number {
  const count = factor * factor
  const half = count >> 1
  const multiplier = Math.floor(Math.fround(2 ** 32 / Math.fround(256 * count)))
  return (sum) => Math.floor(((sum + half) * multiplier) / 2 ** 24)
}

/** `Image.reduce`: every `factor` × `factor` block becomes one pixel; `width` and `height` are multiples of it. */
export function reduce(picture: Pixels, factor: number): Pixels {
  if (factor === 1) return picture
  const out = blank(picture.width / factor, picture.height / factor)
  const mean = blockMean(factor)
  const row = picture.width * CHANNELS
  const sums = new Uint32Array(out.width * CHANNELS)
  for (let y = 0; y < out.height; y += 1) {
    sums.fill(0)
    for (let down = 0; down < factor; down += 1) {
      const start = (y * factor + down) * row
      addBlocks(picture.data.subarray(start, start + row), factor, sums)
    }
    out.data.set(sums.map(mean), y * sums.length)
  }
  return out
}

/** Adds every run of `factor` pixels of a row to its sum, channel by channel. */
function addBlocks(row: Uint8Array, factor: number, sums: Uint32Array): void {
  let from = 0
  for (let to = 0; to < sums.length; to += CHANNELS) {
    let red = 0
    let green = 0
    let blue = 0
    for (let across = 0; across < factor; across += 1, from += CHANNELS) {
      red += row[from] ?? 0
      green += row[from + 1] ?? 0
      blue += row[from + 2] ?? 0
    }
    sums[to] = (sums[to] ?? 0) + red
    sums[to + 1] = (sums[to + 1] ?? 0) + green
    sums[to + 2] = (sums[to + 2] ?? 0) + blue
  }
}

/** `Image.crop`: a part of the picture, black where it reaches beyond. */
export function cut(picture: Pixels, left: number, top: number, width: number, height: number): Pixels {
  if (left === 0 && top === 0 && width === picture.width && height === picture.height) return picture
  const out = blank(width, height)
  const from = Math.max(0, left)
  const until = Math.min(picture.width, left + width)
  if (from >= until) return out
  for (let y = Math.max(0, top); y < Math.min(picture.height, top + height); y += 1) {
    const start = (y * picture.width + from) * CHANNELS
    const row = picture.data.subarray(start, start + (until - from) * CHANNELS)
    out.data.set(row, ((y - top) * width + from - left) * CHANNELS)
  }
  return out
}

/** For every output position: the first input position and the weights from there on, in units of 2^-22. */
interface Weights {
  readonly first: number
  readonly weights: Int32Array
}

function triangleWeights(inputs: number, outputs: number): readonly Weights[] {
  const scale = inputs / outputs
  const support = Math.max(scale, 1)
  const rows: Weights[] = []
  for (let index = 0; index < outputs; index += 1) {
    const centre = (index + 0.5) * scale
    const first = Math.max(0, Math.trunc(centre - support + 0.5))
    const last = Math.min(inputs, Math.trunc(centre + support + 0.5))
    const raw = new Float64Array(last - first)
    let total = 0
    for (let offset = 0; offset < raw.length; offset += 1) {
      const weight = Math.max(0, 1 - Math.abs((offset + first - centre + 0.5) * (1 / support)))
      raw[offset] = weight
      total += weight
    }
    rows.push({ first, weights: Int32Array.from(raw, (weight) => Math.trunc(0.5 + (weight / total) * 2 ** PRECISION_BITS)) })
  }
  return rows
}

/** `Image.resize` with the bilinear (triangle) filter, which widens when the picture shrinks: no aliasing. */
export function resize(picture: Pixels, width: number, height: number): Pixels {
  const across = width === picture.width ? picture : resizeAcross(picture, width)
  return height === across.height ? across : resizeDown(across, height)
}

function resizeAcross(picture: Pixels, width: number): Pixels {
  const out = blank(width, picture.height)
  const columns = triangleWeights(picture.width, width)
  let to = 0
  for (let y = 0; y < picture.height; y += 1) {
    const start = y * picture.width * CHANNELS
    const row = picture.data.subarray(start, start + picture.width * CHANNELS)
    for (const { first, weights } of columns) {
      let red = HALF
      let green = HALF
      let blue = HALF
      for (let index = 0; index < weights.length; index += 1) {
        const weight = weights[index] ?? 0
        const from = (first + index) * CHANNELS
        red += (row[from] ?? 0) * weight
        green += (row[from + 1] ?? 0) * weight
        blue += (row[from + 2] ?? 0) * weight
      }
      out.data[to] = red >> PRECISION_BITS
      out.data[to + 1] = green >> PRECISION_BITS
      out.data[to + 2] = blue >> PRECISION_BITS
      to += CHANNELS
    }
  }
  return out
}

function resizeDown(picture: Pixels, height: number): Pixels {
  const out = blank(picture.width, height)
  const width = picture.width * CHANNELS
  const sums = new Int32Array(width)
  for (const [y, { first, weights }] of triangleWeights(picture.height, height).entries()) {
    sums.fill(HALF)
    for (const [offset, weight] of weights.entries()) {
      const start = (first + offset) * width
      addRow(picture.data.subarray(start, start + width), weight, sums)
    }
    const row = out.data.subarray(y * width, (y + 1) * width)
    for (let at = 0; at < width; at += 1) row[at] = (sums[at] ?? 0) >> PRECISION_BITS
  }
  return out
}

function addRow(row: Uint8Array, weight: number, sums: Int32Array): void {
  for (let at = 0; at < row.length; at += 1) sums[at] = (sums[at] ?? 0) + (row[at] ?? 0) * weight
}
