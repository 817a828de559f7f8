/** YuNet: boxes, five landmarks and a score for every face. Mirror of src/veilface/face/detector.py. */
import { cut, resize } from './resample'
import type { Box, Detection, Pixels, Point } from './types'

const STRIDES = [8, 16, 32] as const
const KINDS = ['cls', 'obj', 'bbox', 'kps'] as const
const PADDING = 32
const LEAST_SCORE = 0.6
const MOST_OVERLAP = 0.3
const MOST_CANDIDATES = 500
const MOST_FACES = 32
const FIRST_SIDE = 320
const SMALL_FACES_SIDE = 960
const LARGE_FACES_SIDE = 128
const WINDOWS = [1.6, 2] as const
const SAME_FACE_OVERLAP = 0.3

/** One stride's outputs: class and object scores (n), boxes (n × 4), points (n × 10). */
export interface StrideOutputs {
  readonly cls: ArrayLike<number>
  readonly obj: ArrayLike<number>
  readonly bbox: ArrayLike<number>
  readonly kps: ArrayLike<number>
}

/** Runs the network on blue, green and red planes of `rows` × `columns`; outputs by name, as `cls_8`. */
export type DetectorNetwork = (
  planes: Float32Array<ArrayBuffer>,
  rows: number,
  columns: number,
) => Promise<Readonly<Record<string, ArrayLike<number>>>>

/** A square in whole pixels; it may reach beyond the picture. */
interface Window {
  readonly left: number
  readonly top: number
  readonly side: number
}

const at = (values: ArrayLike<number>, index: number): number => values[index] ?? 0
const clip = (value: number): number => Math.min(1, Math.max(0, value))

/** The same face in a picture `x` times as wide and `y` times as high. */
export function scaled(face: Detection, x: number, y: number): Detection {
  const [left, top, width, height] = face.box
  return {
    box: [left * x, top * y, width * x, height * y],
    landmarks: face.landmarks.map(([across, down]): Point => [across * x, down * y]),
    score: face.score,
  }
}

function moved(face: Detection, x: number, y: number): Detection {
  const [left, top, width, height] = face.box
  return {
    box: [left + x, top + y, width, height],
    landmarks: face.landmarks.map(([across, down]): Point => [across + x, down + y]),
    score: face.score,
  }
}

/** The size at which the detector looks: the longer side becomes `side`. */
export function detectionSize(width: number, height: number, side: number): readonly [number, number] {
  const longest = Math.max(width, height)
  const share = (length: number): number => Math.max(1, Math.floor((2 * length * side + longest) / (2 * longest)))
  return [share(width), share(height)]
}

/** The size at which a glance looks at a frame. */
export function glanceSize(width: number, height: number): readonly [number, number] {
  return detectionSize(width, height, FIRST_SIDE)
}

/** Faces from one stride's outputs. */
export function decode(outputs: StrideOutputs, stride: number, columns: number): Detection[] {
  const found: Detection[] = []
  for (let index = 0; index < outputs.cls.length; index += 1) {
    const score = Math.sqrt(clip(at(outputs.cls, index)) * clip(at(outputs.obj, index)))
    if (score < LEAST_SCORE) continue
    const column = index % columns
    const row = Math.floor(index / columns)
    const box = (offset: number): number => at(outputs.bbox, 4 * index + offset)
    const width = Math.exp(box(2)) * stride
    const height = Math.exp(box(3)) * stride
    const landmarks = Array.from({ length: 5 }, (_, mark): Point => {
      const point = 10 * index + 2 * mark
      return [(at(outputs.kps, point) + column) * stride, (at(outputs.kps, point + 1) + row) * stride]
    })
    const left = (column + box(0)) * stride - width / 2
    const top = (row + box(1)) * stride - height / 2
    found.push({ box: [left, top, width, height], landmarks, score })
  }
  return found
}

/** Intersection over union of two boxes. */
export function overlap(first: Box, second: Box): number {
  const width = Math.min(first[0] + first[2], second[0] + second[2]) - Math.max(first[0], second[0])
  const height = Math.min(first[1] + first[3], second[1] + second[3]) - Math.max(first[1], second[1])
  if (width <= 0 || height <= 0) return 0
  const shared = width * height
  return shared / (first[2] * first[3] + second[2] * second[3] - shared)
}

/** Non-maximum suppression: of boxes that overlap by more than 0.3, the surest stays. Ordered by score. */
export function suppress(found: readonly Detection[]): Detection[] {
  const kept: Detection[] = []
  for (const candidate of found.toSorted((first, second) => second.score - first.score).slice(0, MOST_CANDIDATES)) {
    if (kept.every((other) => overlap(candidate.box, other.box) <= MOST_OVERLAP)) kept.push(candidate)
  }
  return kept
}

/** A square round the face, `size` times as large as its box, in whole pixels. */
export function windowAround({ box: [x, y, width, height] }: Detection, size: number): Window {
  const side = size * Math.max(width, height)
  return {
    left: Math.floor(x + width / 2 - side / 2),
    top: Math.floor(y + height / 2 - side / 2),
    side: Math.ceil(side),
  }
}

/** The mean of several views of one face; undefined for none. */
export function meanOf(views: readonly Detection[]): Detection | undefined {
  if (views.length === 0) return undefined
  const mean = (of: (view: Detection) => number): number =>
    views.reduce((sum, view) => sum + of(view), 0) / views.length
  const point = (mark: number): Point => [
    mean((view) => at(view.landmarks[mark] ?? [], 0)),
    mean((view) => at(view.landmarks[mark] ?? [], 1)),
  ]
  return {
    box: [mean(({ box }) => box[0]), mean(({ box }) => box[1]), mean(({ box }) => box[2]), mean(({ box }) => box[3])],
    landmarks: [point(0), point(1), point(2), point(3), point(4)],
    score: mean(({ score }) => score),
  }
}

/** Blue, green and red planes, zero beyond the picture. */
function planesOf(picture: Pixels, rows: number, columns: number): Float32Array<ArrayBuffer> {
  const planes = new Float32Array(3 * rows * columns)
  const plane = rows * columns
  const { width, height, data } = picture
  let from = 0
  for (let y = 0; y < height; y += 1) {
    for (let to = y * columns; to < y * columns + width; to += 1, from += 3) {
      planes[to] = data[from + 2] ?? 0
      planes[to + plane] = data[from + 1] ?? 0
      planes[to + 2 * plane] = data[from] ?? 0
    }
  }
  return planes
}

export class Detector {
  readonly #network: DetectorNetwork

  constructor(network: DetectorNetwork) {
    this.#network = network
  }

  /**
   * All faces in a picture, the surest first.
   *
   * The first look takes the picture at 320 pixels, `thorough` adds one at 960 for small faces, and where nobody is
   * found a last one at 128 is for a face larger than the picture. Two closer looks at each face then confirm it and
   * place its landmarks; their mean is steadier than one look at the whole picture.
   */
  async detect(picture: Pixels, { thorough }: { thorough: boolean }): Promise<Detection[]> {
    const large = thorough && Math.max(picture.width, picture.height) > FIRST_SIDE
    const seen: Detection[] = []
    for (const side of large ? [FIRST_SIDE, SMALL_FACES_SIDE] : [FIRST_SIDE]) {
      seen.push(...(await this.#look(picture, side)))
    }
    let found = suppress(seen)
    if (found.length === 0) found = await this.#look(picture, LARGE_FACES_SIDE)
    const closer: Detection[] = []
    for (const face of found.slice(0, MOST_FACES)) {
      const confirmed = await this.lookCloser(picture, face)
      if (confirmed) closer.push(confirmed)
    }
    return suppress(closer)
  }

  /** All faces at one look, the surest first: good enough to follow them, not to measure them. */
  async glance(picture: Pixels): Promise<Detection[]> {
    return (await this.#look(picture, FIRST_SIDE)).slice(0, MOST_FACES)
  }

  /** The mean of what is seen in two windows round the face; undefined when neither shows it. */
  async lookCloser(picture: Pixels, face: Detection): Promise<Detection | undefined> {
    const same: Detection[] = []
    for (const size of WINDOWS) {
      const { left, top, side } = windowAround(face, size)
      const view = await this.#look(cut(picture, left, top, side, side), FIRST_SIDE)
      const best = view
        .map((other) => moved(other, left, top))
        .filter((other) => overlap(other.box, face.box) > SAME_FACE_OVERLAP)
        .toSorted((first, second) => overlap(second.box, face.box) - overlap(first.box, face.box))[0]
      if (best) same.push(best)
    }
    return meanOf(same)
  }

  /** Faces in a whole picture, its longer side brought to `side` pixels. */
  async #look(picture: Pixels, side: number): Promise<Detection[]> {
    const [width, height] = detectionSize(picture.width, picture.height, side)
    const rows = Math.ceil(height / PADDING) * PADDING
    const columns = Math.ceil(width / PADDING) * PADDING
    const outputs = await this.#network(planesOf(resize(picture, width, height), rows, columns), rows, columns)
    const found = STRIDES.flatMap((stride) => {
      const [cls, obj, bbox, kps] = KINDS.map((kind) => outputs[`${kind}_${stride}`] ?? [])
      return decode({ cls: cls ?? [], obj: obj ?? [], bbox: bbox ?? [], kps: kps ?? [] }, stride, columns / stride)
    })
    return suppress(found).map((face) => scaled(face, picture.width / width, picture.height / height))
  }
}
