/** A bitmap becomes faces: detect, align, judge, embed. Mirror of src/veilface/face/pipeline.py. */
import { align } from './aligner'
import { type Detector, glanceSize, scaled } from './detector'
import { centre, planesOf } from './embedder'
import { FaceError } from './errors'
import { Miniatures, workingPicture } from './picture'
import { ACCEPTABLE, type Limits, measure, problemsOf, visibleShare } from './quality'
import type { Box, Detection, Face, Pixels } from './types'

/** A second face at least this prominent, compared with the first, leaves open who is meant. */
const RIVAL_SHARE = 0.45

/** Runs the network on red, green and blue planes of a crop; 128 numbers. */
export type EmbedderNetwork = (planes: Float32Array<ArrayBuffer>) => Promise<ArrayLike<number>>

export interface Request {
  /** With crop and embedding, and with a look for small faces. */
  readonly thorough: boolean
  readonly limits: Limits
}

export class FacePipeline {
  readonly #detector: Detector
  readonly #embedder: EmbedderNetwork

  constructor(detector: Detector, embedder: EmbedderNetwork) {
    this.#detector = detector
    this.#embedder = embedder
  }

  /**
   * A face that a glance at this bitmap has found, as `faces` would describe it; embedded only where it has no problem.
   * Undefined where a closer look shows no face. The bitmap stays open.
   */
  async lookCloser(bitmap: ImageBitmap, seen: Detection): Promise<Face | undefined> {
    const { width, height } = bitmap
    const { pixels, factor } = workingPicture(bitmap)
    const found = await this.#detector.lookCloser(pixels, scaled(seen, 1 / factor, 1 / factor))
    if (!found) return undefined
    const crop = align(pixels, found.landmarks)
    const detection = scaled(found, factor, factor)
    const measures = measure(crop, detection)
    const problems = problemsOf(measures, detection, width, height, ACCEPTABLE)
    const face = { ...detection, quality: { ...measures, problems }, prominence: prominence(detection.box, width, height) }
    return problems.length > 0 ? face : { ...face, embedding: centre(await this.#embedder(planesOf(crop))) }
  }

  /** Every face, the most prominent first. The bitmap stays open. */
  async faces(bitmap: ImageBitmap, { thorough, limits }: Request): Promise<Face[]> {
    const { width, height } = bitmap
    const lap = stopwatch()
    const { pixels, factor } = workingPicture(bitmap)
    const faces: Face[] = []
    const detections = await this.#detector.detect(pixels, { thorough })
    const found = lap()
    for (const detected of detections) {
      const crop = align(pixels, detected.landmarks)
      const aligned = lap()
      const detection = scaled(detected, factor, factor)
      const measures = measure(crop, detection)
      const problems = problemsOf(measures, detection, width, height, limits)
      const face = { ...detection, quality: { ...measures, problems }, prominence: prominence(detection.box, width, height) }
      const embedding = thorough && centre(await this.#embedder(planesOf(crop)))
      const timings = { found, aligned, measured: lap() }
      faces.push(embedding ? { ...face, embedding, crop: imageOf(crop), timings } : face)
    }
    return faces.toSorted((first, second) => second.prominence - first.prominence)
  }
}

/**
 * The faces of a camera's frames, quickly.
 *
 * Other than on the server it is the browser that shrinks the frame: only a few pixels are read then, and a glance is
 * for following, where a hair's breadth does not count.
 */
export class Glances {
  readonly #detector: Detector
  readonly #miniatures = new Miniatures()

  constructor(detector: Detector) {
    this.#detector = detector
  }

  /** Where faces are, the surest first. The bitmap stays open. */
  async glance(bitmap: ImageBitmap): Promise<Detection[]> {
    const { width, height } = bitmap
    const small = this.#miniatures.of(bitmap, ...glanceSize(width, height))
    const found = await this.#detector.glance(small)
    return found.map((face) => scaled(face, width / small.width, height / small.height))
  }
}

/** Milliseconds since it was last asked. */
function stopwatch(): () => number {
  let last = performance.now()
  return () => {
    const now = performance.now()
    const took = now - last
    last = now
    return took
  }
}

function imageOf(crop: Pixels): ImageData {
  const image = new ImageData(crop.width, crop.height)
  for (let from = 0, to = 0; from < crop.data.length; from += 3, to += 4) {
    image.data.set(crop.data.subarray(from, from + 3), to)
    image.data[to + 3] = 255
  }
  return image
}

/** The side of the box's visible part, weighted from 1 in the middle of the picture to 0 in its corners. */
export function prominence(box: Box, width: number, height: number): number {
  const [x, y, boxWidth, boxHeight] = box
  const side = Math.sqrt(boxWidth * boxHeight * visibleShare(box, width, height))
  const away = Math.hypot(x + boxWidth / 2 - width / 2, y + boxHeight / 2 - height / 2)
  return side * Math.max(0, 1 - away / Math.hypot(width / 2, height / 2))
}

/**
 * The face that is meant: the most prominent one, if it stands out.
 *
 * People in the background are smaller, cut by the edge or far from the middle, and are ignored.
 * @throws FaceError `face.no_face`, or `face.several_faces` when a second face has 0.45 of the first one's prominence
 */
export function dominant(faces: readonly Face[]): Face {
  const [first, ...others] = faces.toSorted((one, other) => other.prominence - one.prominence)
  if (!first) throw new FaceError('face.no_face')
  const rivals = others.filter((face) => face.prominence >= RIVAL_SHARE * first.prominence)
  if (rivals.length > 0) throw new FaceError('face.several_faces', { count: 1 + rivals.length })
  return first
}
