/**
 * The app's icons, drawn at build time from the brand mark: the mark is made of upright rectangles only, so a small
 * painter that measures covered area is all it takes, and no picture lies in the repository.
 */
import { crc32, deflateSync } from 'node:zlib'

type Colour = readonly [red: number, green: number, blue: number]

export interface Rectangle {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  readonly opacity: number
}

export interface Mark {
  readonly ground: Colour
  readonly ink: Colour
  readonly rectangles: readonly Rectangle[]
}

/** Side of the SVG's own grid, and of its ink inside it. */
const GRID = 32
const INK_MIDDLE = 16.2
/** Platforms cut a maskable icon down to a circle of 80 %. */
const SCALE = { any: 0.85, maskable: 0.6 } as const
const CHANNELS = 4
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/** Reads `favicon.svg`. @throws RangeError when it is drawn with more than rectangles */
export function parseMark(svg: string): Mark {
  const [ground, ink] = [...svg.matchAll(/fill="#([0-9a-f]{6})"/g)].map(([, hex]) => colour(hex ?? ''))
  if (!ground || !ink) throw new RangeError('the mark has no colours')
  const rectangles = [...svg.matchAll(/<path(?: opacity="([\d.]+)")? d="([^"]+)"/g)].flatMap(([, opacity, path]) =>
    (path ?? '').split('z').filter(Boolean).map((part) => rectangle(part, Number(opacity ?? 1))),
  )
  return { ground, ink, rectangles }
}

/** A PNG of `side` × `side` pixels, opaque; systems round its corners themselves. */
export function icon({ ground, ink, rectangles }: Mark, side: number, purpose: keyof typeof SCALE): Buffer {
  const scale = (side / GRID) * SCALE[purpose]
  const move = side / 2 - INK_MIDDLE * scale
  const cover = new Float64Array(side * side)
  for (const { x, y, width, height, opacity } of rectangles) {
    const columns = covered(x * scale + move, width * scale, side)
    const rows = covered(y * scale + move, height * scale, side)
    for (const [row, tall] of rows) {
      for (const [column, wide] of columns) cover[row * side + column] = opacity * tall * wide
    }
  }
  const pixels = Buffer.alloc(side * (1 + side * CHANNELS))
  for (let at = 0; at < cover.length; at += 1) {
    const share = cover[at] ?? 0
    const mixed = ground.map((part, channel) => Math.round(part + (ink[channel] ?? 0) * share - part * share))
    pixels.set([...mixed, 255], at * CHANNELS + Math.floor(at / side) + 1)
  }
  return png(side, pixels)
}

function colour(hex: string): Colour {
  const part = (at: number): number => Number.parseInt(hex.slice(at, at + 2), 16)
  return [part(0), part(2), part(4)]
}

/** `M8.9 3.9H15.5v2.6H8.9`: from left top, across, down, back. */
function rectangle(path: string, opacity: number): Rectangle {
  const [, x, y, right, height] = (/^M([\d.]+) ([\d.]+)[Hh]([\d.]+)v([\d.]+)[Hh]-?[\d.]+$/.exec(path) ?? []).map(Number)
  if (x === undefined || y === undefined || right === undefined || height === undefined) {
    throw new RangeError(`not a rectangle: ${path}`)
  }
  return { x, y, width: path.includes('H') ? right - x : right, height, opacity }
}

/** Which pixels of a row lie under a span, and with what share of each. */
function covered(from: number, length: number, side: number): [pixel: number, share: number][] {
  const first = Math.max(0, Math.floor(from))
  const last = Math.min(side, Math.ceil(from + length))
  return Array.from({ length: Math.max(0, last - first) }, (_, index) => {
    const pixel = first + index
    return [pixel, Math.min(pixel + 1, from + length) - Math.max(pixel, from)]
  })
}

function png(side: number, pixels: Buffer): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(side, 0)
  header.writeUInt32BE(side, 4)
  header.set([8, 6, 0, 0, 0], 8) // 8 bits a channel, RGBA, the only compression, filter and order there are
  return Buffer.concat([SIGNATURE, chunk('IHDR', header), chunk('IDAT', deflateSync(pixels, { level: 9 })), chunk('IEND', Buffer.alloc(0))])
}

function chunk(name: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(name, 'latin1'), data])
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  check.writeUInt32BE(crc32(named))
  return Buffer.concat([length, named, check])
}
