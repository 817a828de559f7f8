/** How good a face is for recognition. Mirror of src/veilface/face/quality.py. */
import { SIDE } from './aligner'
import type { Box, Detection, Pixels, Point, ProblemCode, Quality } from './types'

/** Half-open rows and columns of the crop. */
interface Part {
  readonly top: number
  readonly bottom: number
  readonly left: number
  readonly right: number
}

type Plane = Float64Array<ArrayBuffer>
type Weights = readonly [number, number, number]

const LUMA: Weights = [0.299, 0.587, 0.114]
const BLUE: Weights = [-0.168736, -0.331264, 0.5]
const RED: Weights = [0.5, -0.418688, -0.081312]
const FACE: Part = { top: 28, bottom: 100, left: 26, right: 86 }
const MOUTH: Part = { top: 84, bottom: 100, left: 36, right: 76 }
const CHIN: Part = { top: 84, bottom: 108, left: 40, right: 72 }
const CHEEKS_AND_BROW: readonly Part[] = [
  { top: 60, bottom: 74, left: 30, right: 46 },
  { top: 60, bottom: 74, left: 66, right: 82 },
  { top: 30, bottom: 44, left: 46, right: 66 },
]
const NOSE_DEPTH = 0.6
const NOSE_HEIGHT = 0.57
const NOSE_LEVER = 0.43
const OPEN_MOUTH_DETAIL = 0.3
const SKIN_COLOUR_SPREAD = 15
const MASK_COLOUR_SPREAD = 30

/** Where a measure becomes a problem; units as in `Limits` of the Python module. */
export interface Limits {
  readonly size: number
  readonly closeness: number
  readonly distance: number
  readonly visible: number
  readonly dark: number
  readonly bright: number
  readonly sharpness: number
  readonly yaw: number
  readonly pitch: number
  readonly roll: number
  readonly occlusion: number
}

/** Beyond these a picture is refused; ordinary press photographs, also at 96 pixels, stay within. */
export const ACCEPTABLE: Limits = {
  size: 40,
  closeness: 1.6,
  distance: 1,
  visible: 0.45,
  dark: 40,
  bright: 230,
  sharpness: 0.3,
  yaw: 55,
  pitch: 35,
  roll: 27,
  occlusion: 0.7,
}

/** What a camera waits for before it takes a picture by itself. */
export const COMFORTABLE: Limits = {
  size: 80,
  closeness: 0.85,
  distance: 0.25,
  visible: 0.99,
  dark: 60,
  bright: 215,
  sharpness: 0.4,
  yaw: 20,
  pitch: 18,
  roll: 12,
  occlusion: 0.6,
}

export type Measures = Omit<Quality, 'problems'>
type Pose = Pick<Quality, 'yaw' | 'pitch' | 'roll'>

const at = (plane: ArrayLike<number>, index: number): number => plane[index] ?? 0
const degrees = (radians: number): number => (radians * 180) / Math.PI
const middle = (first: Point, second: Point): Point => [(first[0] + second[0]) / 2, (first[1] + second[1]) / 2]
const minus = (first: Point, second: Point): Point => [first[0] - second[0], first[1] - second[1]]
const dot = (first: Point, second: Point): number => first[0] * second[0] + first[1] * second[1]

/** The measures of `face` (in pixels of the original picture) with its aligned crop. */
export function measure(crop: Pixels, face: Detection): Measures {
  const luma = channel(crop, LUMA)
  const { across, down, laplacian } = derivatives(luma)
  const squares = (plane: Plane, part: Part): number => mean(valuesOf(plane, part).map((value) => value * value))
  const detail = Math.max(squares(across, FACE) + squares(down, FACE), 1)
  return {
    size: Math.min(face.box[2], face.box[3]),
    sharpness: variance(valuesOf(laplacian, FACE)) / detail,
    brightness: mean(valuesOf(luma, FACE)),
    ...pose(face.landmarks),
    occlusion: occlusion(crop, squares(down, MOUTH) / detail),
  }
}

function channel(crop: Pixels, [red, green, blue]: Weights): Plane {
  const plane = new Float64Array(SIDE * SIDE)
  for (let index = 0, from = 0; index < plane.length; index += 1, from += 3) {
    plane[index] = at(crop.data, from) * red + at(crop.data, from + 1) * green + at(crop.data, from + 2) * blue
  }
  return plane
}

/** Central differences and the Laplacian; zero on the border. */
function derivatives(luma: Plane): { across: Plane; down: Plane; laplacian: Plane } {
  const [across, down, laplacian] = [new Float64Array(luma.length), new Float64Array(luma.length), new Float64Array(luma.length)]
  for (let y = 1; y < SIDE - 1; y += 1) {
    for (let x = 1; x < SIDE - 1; x += 1) {
      const here = y * SIDE + x
      const [left, right] = [at(luma, here - 1), at(luma, here + 1)]
      const [above, below] = [at(luma, here - SIDE), at(luma, here + SIDE)]
      across[here] = (right - left) / 2
      down[here] = (below - above) / 2
      laplacian[here] = above + below + left + right - 4 * at(luma, here)
    }
  }
  return { across, down, laplacian }
}

function valuesOf(plane: Plane, { top, bottom, left, right }: Part): Plane {
  const values = new Float64Array((bottom - top) * (right - left))
  for (let y = top; y < bottom; y += 1) {
    values.set(plane.subarray(y * SIDE + left, y * SIDE + right), (y - top) * (right - left))
  }
  return values
}

function mean(values: Plane): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function variance(values: Plane): number {
  const centre = mean(values)
  return mean(values.map((value) => (value - centre) ** 2))
}

function median(values: Plane): number {
  const sorted = values.toSorted()
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? at(sorted, half) : (at(sorted, half - 1) + at(sorted, half)) / 2
}

/** A mouth without lips, or a chin of another colour than cheeks and brow, hints at a mask. */
function occlusion(crop: Pixels, mouthDetail: number): number {
  const smooth = 1 - mouthDetail / OPEN_MOUTH_DETAIL
  const apart = Math.hypot(colourGap(channel(crop, BLUE)), colourGap(channel(crop, RED)))
  const strange = (apart - SKIN_COLOUR_SPREAD) / MASK_COLOUR_SPREAD
  return Math.min(1, Math.max(0, smooth, strange))
}

function colourGap(plane: Plane): number {
  const skin = median(Float64Array.from(CHEEKS_AND_BROW, (part) => median(valuesOf(plane, part))))
  return median(valuesOf(plane, CHIN)) - skin
}

/** Angles from where the nose sits between eyes and mouth; rough, and blind to a face's own proportions. */
export function pose(landmarks: readonly Point[]): Pose {
  const [rightEye, leftEye, nose, rightMouth, leftMouth] = landmarks
  if (!rightEye || !leftEye || !nose || !rightMouth || !leftMouth) throw new RangeError('a face has five landmarks')
  const eyes = middle(rightEye, leftEye)
  const mouth = middle(rightMouth, leftMouth)
  const across = minus(leftEye, rightEye)
  const distance = Math.max(Math.hypot(across[0], across[1]), 1e-6)
  const ahead: Point = [across[0] / distance, across[1] / distance]
  const down: Point = [-ahead[1], ahead[0]]
  const length = Math.max(dot(minus(mouth, eyes), down), 0.1 * distance)
  const aside = dot(minus(nose, middle(eyes, mouth)), ahead) / distance
  const height = dot(minus(nose, eyes), down) / length
  return {
    yaw: degrees(Math.atan(aside / NOSE_DEPTH)),
    pitch: degrees(Math.atan((NOSE_HEIGHT - height) / NOSE_LEVER)),
    roll: degrees(Math.atan2(across[1], across[0])),
  }
}

/** The share of `box` that lies inside a picture. */
export function visibleShare([x, y, boxWidth, boxHeight]: Box, width: number, height: number): number {
  const across = Math.max(0, Math.min(x + boxWidth, width) - Math.max(x, 0))
  const down = Math.max(0, Math.min(y + boxHeight, height) - Math.max(y, 0))
  return (across * down) / (boxWidth * boxHeight)
}

/** What lies beyond `limits`, the most urgent first; `face` and the picture's sides in the same pixels. */
export function problemsOf(
  measures: Measures,
  { box, landmarks }: Pick<Detection, 'box' | 'landmarks'>,
  width: number,
  height: number,
  limits: Limits,
): ProblemCode[] {
  const [x, y, boxWidth, boxHeight] = box
  const complete = landmarks.every(([across, down]) => across >= 0 && across <= width && down >= 0 && down <= height)
  const cut = !complete || visibleShare(box, width, height) < limits.visible
  const closeness = Math.max(boxWidth / width, boxHeight / height)
  const away = Math.max(Math.abs(x + boxWidth / 2 - width / 2) / width, Math.abs(y + boxHeight / 2 - height / 2) / height)
  const beyond: readonly (readonly [ProblemCode, boolean])[] = [
    ['too_small', measures.size < limits.size],
    ['too_close', closeness > limits.closeness],
    ['off_centre', away > limits.distance || cut],
    ['too_dark', measures.brightness < limits.dark],
    ['too_bright', measures.brightness > limits.bright],
    ['turned', Math.abs(measures.yaw) > limits.yaw || Math.abs(measures.pitch) > limits.pitch],
    ['tilted', Math.abs(measures.roll) > limits.roll],
    ['occluded', measures.occlusion > limits.occlusion],
    ['blurred', measures.sharpness < limits.sharpness],
  ]
  return beyond.filter(([, holds]) => holds).map(([code]) => code)
}
