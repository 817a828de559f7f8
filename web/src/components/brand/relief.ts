/** The relief as a picture of one size needs it. Working a point out takes microseconds, and a picture has thousands. */
import { reliefAt, type Point } from './contour'

/** What decides where a picture's points lie; `pitch` and sizes in CSS pixels. */
export interface Grid {
  readonly width: number
  readonly height: number
  /** Distance between two lines. */
  readonly pitch: number
  /** Where the middle of the face is, as a share of the width. */
  readonly centre: number
}

/** The point of line `row` nearest to `x`, or undefined where there is nobody. */
export type Relief = (row: number, x: number) => Point | undefined

/** The head from above the hair to below the shoulders' rise. */
const TOP = -1.16
const BOTTOM = 1.52
const FINEST = 2
/** Pictures of a few sizes are on the way from screen to screen; a window that is dragged makes many. */
const KEPT = 4

const kept = new Map<string, Relief>()

/** How far apart points of a line are. */
export function stepOf({ pitch }: Grid): number {
  return Math.min(pitch, FINEST)
}

/** Remembers what it has worked out, also for the next picture of the same size. */
export function reliefOf(grid: Grid): Relief {
  const name = [grid.width, grid.height, grid.pitch, grid.centre].join()
  const known = kept.get(name)
  if (known) return known
  const [oldest] = kept.keys()
  if (kept.size >= KEPT && oldest !== undefined) kept.delete(oldest)
  const made = remembering(grid)
  kept.set(name, made)
  return made
}

function remembering(grid: Grid): Relief {
  const { width, height, pitch, centre } = grid
  const scale = (BOTTOM - TOP) / height
  const step = stepOf(grid)
  const across = Math.ceil(width / step) + 2
  const points = new Map<number, Point | undefined>()
  return (row, x) => {
    const column = Math.round(x / step)
    const at = row * across + column
    if (!points.has(at)) points.set(at, reliefAt((column * step - centre * width) * scale, TOP + (row + 0.5) * pitch * scale))
    return points.get(at)
  }
}
