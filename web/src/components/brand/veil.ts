/** The mark of Veilface: an engraved face whose lines break into ciphertext where it leaves the device. */
import { hashed, type Noise } from './noise'
import { reliefOf, stepOf, type Relief } from './relief'

export interface Veil {
  /** Size in CSS pixels. */
  width: number
  height: number
  /** Distance between two lines, in CSS pixels. */
  pitch: number
  /** How much of the picture is ciphertext: 0 none, 1 all of it. */
  veiled: number
  /** Where the middle of the face is, as a share of the width. */
  centre: number
  /** Light lines on a dark ground: lines then swell with the light, not with the shadow. */
  night: boolean
  noise: Noise
}

/** Half the width of the zone in which lines break up, as a share of the width. */
const FRAY = 0.22

/** Draws with the context's current fill style. */
export function drawVeil(context: CanvasRenderingContext2D, veil: Veil): void {
  context.clearRect(0, 0, veil.width, veil.height)
  const rows = Math.round(veil.height / veil.pitch)
  const columns = Math.round(veil.width / veil.pitch)
  const lines = new Path2D()
  const relief = reliefOf(veil)
  for (let row = 0; row < rows; row += 1) {
    let start = 0
    for (let column = 0; column <= columns; column += 1) {
      const index = row * columns + column
      const sealed = column < columns && hashed(index, 1) < share(veil, (column + 0.5) / columns)
      if (sealed) drawCell(context, veil, column, row, index)
      if (sealed || column === columns) {
        engrave(lines, veil, { relief, row, from: start * veil.pitch, to: column * veil.pitch })
        start = column + 1
      }
    }
  }
  context.fill(lines)
}

/** Share of cells at `x` (0 left, 1 right) that have become ciphertext. */
function share({ veiled }: Veil, x: number): number {
  const edge = 1 + FRAY - veiled * (1 + 2 * FRAY)
  const t = Math.min(1, Math.max(0, (x - edge + FRAY) / (2 * FRAY)))
  return t * t * (3 - 2 * t)
}

/** One residue: a square, the darker the larger its value. */
function drawCell(context: CanvasRenderingContext2D, veil: Veil, column: number, row: number, index: number): void {
  const gap = Math.max(0.5, veil.pitch * 0.1)
  context.globalAlpha = 0.06 + 0.74 * veil.noise(index) ** 1.8
  context.fillRect(column * veil.pitch, row * veil.pitch, veil.pitch - gap, veil.pitch - gap)
  context.globalAlpha = 1
}

interface Line {
  relief: Relief
  row: number
  from: number
  to: number
}

/** Adds the line of `row` between two x: raised by the relief, swelling with the shadow, absent beside the head. */
function engrave(path: Path2D, veil: Veil, { relief, row, from, to }: Line): void {
  const { pitch, night } = veil
  let upper: [x: number, y: number][] = []
  let lower: [x: number, y: number][] = []
  const step = stepOf(veil)
  for (let x = from; x <= to; x += step) {
    const point = relief(row, x)
    if (point !== undefined) {
      const ink = night ? 0.95 - 0.9 * point.tone : point.tone
      const half = pitch * (0.05 + 0.36 * ink)
      const y = (row + 0.5) * pitch - point.rise * pitch
      upper.push([x, y - half])
      lower.push([x, y + half])
    }
    if (point === undefined || x + step > to) {
      outline(path, upper, lower)
      upper = []
      lower = []
    }
  }
}

function outline(path: Path2D, upper: readonly [number, number][], lower: readonly [number, number][]): void {
  if (upper.length < 2) return
  for (const [order, [x, y]] of [...upper, ...lower.toReversed()].entries()) {
    if (order === 0) path.moveTo(x, y)
    else path.lineTo(x, y)
  }
  path.closePath()
}
