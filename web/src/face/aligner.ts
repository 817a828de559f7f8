/** Five landmarks to the upright 112 × 112 crop. Mirror of src/veilface/face/aligner.py. */
import { cut, reduce } from './resample'
import type { Pixels, Point } from './types'

export const SIDE = 112

/** Where the landmarks belong in the crop: right eye, left eye, nose, right and left corner of the mouth. */
export const TEMPLATE: readonly Point[] = [
  [38.2946, 51.6963],
  [73.5318, 51.5014],
  [56.0252, 71.7366],
  [41.5493, 92.3655],
  [70.7299, 92.2041],
]

/** (x, y) becomes (a x − b y + dx, b x + a y + dy). */
export interface Similarity {
  readonly a: number
  readonly b: number
  readonly dx: number
  readonly dy: number
}

/** Points as alternating x and y. */
type Coordinates = Float64Array<ArrayBuffer>

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** The least-squares similarity from `source` to `target`: Umeyama's, in the plane a complex regression. */
export function fit(source: readonly Point[], target: readonly Point[]): Similarity {
  const [sx, sy, tx, ty] = [source, target].flatMap((points) => [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))])
  const from: Point = [sx ?? 0, sy ?? 0]
  const to: Point = [tx ?? 0, ty ?? 0]
  let spread = 0
  let along = 0
  let aside = 0
  for (const [index, [px, py]] of source.entries()) {
    const [qx, qy] = target[index] ?? to
    const [x, y, u, v] = [px - from[0], py - from[1], qx - to[0], qy - to[1]]
    spread += x * x + y * y
    along += x * u + y * v
    aside += x * v - y * u
  }
  const a = along / spread
  const b = aside / spread
  return { a, b, dx: to[0] - (a * from[0] - b * from[1]), dy: to[1] - (b * from[0] + a * from[1]) }
}

/** Where each pixel of the crop lies in the picture. */
function gridIn({ a, b, dx, dy }: Similarity): Coordinates {
  const points = new Float64Array(2 * SIDE * SIDE)
  let index = 0
  for (let y = 0; y < SIDE; y += 1) {
    for (let x = 0; x < SIDE; x += 1) {
      points[index] = a * x - b * y + dx
      points[index + 1] = b * x + a * y + dy
      index += 2
    }
  }
  return points
}

/**
 * The face, 112 × 112; black where it reaches beyond the picture. A face more than twice as large as the crop is
 * averaged down by a whole factor first, so that no detail folds into false patterns.
 */
export function align(picture: Pixels, landmarks: readonly Point[]): Pixels {
  const toPicture = fit(TEMPLATE, landmarks)
  const points = gridIn(toPicture)
  const factor = Math.max(1, Math.trunc(Math.hypot(toPicture.a, toPicture.b)))
  const [left, right] = covering(points, 0, picture.width, factor)
  const [top, bottom] = covering(points, 1, picture.height, factor)
  if (left >= right || top >= bottom) return { width: SIDE, height: SIDE, data: new Uint8Array(SIDE * SIDE * 3) }
  const part = reduce(cut(picture, left, top, right - left, bottom - top), factor)
  for (let index = 0; index < points.length; index += 2) {
    points[index] = ((points[index] ?? 0) - left + 0.5) / factor - 0.5
    points[index + 1] = ((points[index + 1] ?? 0) - top + 0.5) / factor - 0.5
  }
  return { width: SIDE, height: SIDE, data: sample(part, points) }
}

/** The part of one axis (0: x, 1: y) that the points touch, in whole multiples of `factor`. */
function covering(points: Coordinates, axis: 0 | 1, limit: number, factor: number): readonly [number, number] {
  let low = Infinity
  let high = -Infinity
  for (let index = axis; index < points.length; index += 2) {
    low = Math.min(low, points[index] ?? 0)
    high = Math.max(high, points[index] ?? 0)
  }
  const first = Math.max(0, Math.floor(low / factor) - 1)
  const last = Math.min(Math.floor(limit / factor), Math.floor(high / factor) + 2)
  return [first * factor, last * factor]
}

/** Bilinear values at `points`, rounded half up; black outside. */
export function sample(picture: Pixels, points: Coordinates): Uint8Array<ArrayBuffer> {
  const { width, height, data } = picture
  const value = (x: number, y: number, channel: number): number =>
    x < 0 || y < 0 || x >= width || y >= height ? 0 : (data[(y * width + x) * 3 + channel] ?? 0)
  const out = new Uint8Array((points.length / 2) * 3)
  for (let index = 0; index < points.length / 2; index += 1) {
    const px = points[2 * index] ?? 0
    const py = points[2 * index + 1] ?? 0
    const [x, y] = [Math.floor(px), Math.floor(py)]
    const [fx, fy] = [px - x, py - y]
    for (let channel = 0; channel < 3; channel += 1) {
      const above = value(x, y, channel) * (1 - fx) + value(x + 1, y, channel) * fx
      const below = value(x, y + 1, channel) * (1 - fx) + value(x + 1, y + 1, channel) * fx
      out[3 * index + channel] = Math.floor(above * (1 - fy) + below * fy + 0.5)
    }
  }
  return out
}
