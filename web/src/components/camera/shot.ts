import { dominant, FaceError, type Box, type Face, type FaceEngine, type ProblemCode } from '@/face'
import { aroundFace, ASPECT } from './frame'
import type { Timings } from './steps'

/** One picture of one face, measured on this device. */
export interface Shot {
  readonly id: string
  /** 128 centred unit components. */
  readonly embedding: Float32Array<ArrayBuffer>
  /** 112×112, aligned. */
  readonly crop: ImageData
  /** Head and shoulders as a small JPEG, for this device only, and its object URL. */
  readonly photo: Blob
  readonly url: string
  /** How long finding, aligning and measuring took. */
  readonly timings: Timings
  /** The record of the movements that led to it (80 B), where some were asked for. */
  readonly liveness?: Uint8Array<ArrayBuffer>
}

const COPY_SIDE = 1600
const PORTRAIT_HEIGHT = 480
const PORTRAIT_QUALITY = 0.85

/** A picture that cannot become a shot, with the first problem to solve. */
export class NoShot extends Error {
  readonly problem: ProblemCode

  constructor(problem: ProblemCode) {
    super(problem)
    this.name = 'NoShot'
    this.problem = problem
  }
}

/**
 * Measures `picture` and makes a shot of it; takes the bitmap over.
 * @throws NoShot with the first problem for which a picture is refused
 */
export async function makeShot(engine: FaceEngine, picture: ImageBitmap): Promise<Shot> {
  const copy = reduced(picture)
  const { box, quality, embedding, crop, timings } = meant(await engine.analyse(picture))
  const [problem] = quality.problems
  if (problem) throw new NoShot(problem)
  if (!embedding || !crop || !timings) throw new NoShot('no_face')
  const photo = await portrait(copy, box)
  return { id: crypto.randomUUID(), embedding, crop, timings, photo, url: URL.createObjectURL(photo) }
}

/** The one face that is meant. @throws NoShot when there is none, or nobody stands out */
export function meant(faces: readonly Face[]): Face {
  try {
    return dominant(faces)
  } catch (error) {
    if (error instanceof FaceError && error.code === 'face.several_faces') throw new NoShot('several_faces')
    if (error instanceof FaceError && error.code === 'face.no_face') throw new NoShot('no_face')
    throw error
  }
}

/** Overwrites what was measured and lets the picture go. */
export function forgetShot(shot: Shot): void {
  shot.embedding.fill(0)
  shot.crop.data.fill(0)
  URL.revokeObjectURL(shot.url)
}

/** A reduced copy to cut the portrait from, because the engine takes the picture itself away. */
function reduced(picture: ImageBitmap): { canvas: OffscreenCanvas; scale: number } {
  const scale = Math.min(1, COPY_SIDE / Math.max(picture.width, picture.height))
  const canvas = new OffscreenCanvas(Math.round(picture.width * scale), Math.round(picture.height * scale))
  canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height)
  return { canvas, scale }
}

/** Head and shoulders as a small JPEG; everything else about the picture (place, camera, others) is left behind. */
async function portrait({ canvas, scale }: ReturnType<typeof reduced>, box: Box): Promise<Blob> {
  const { x, y, width, height } = aroundFace(box, scale, canvas)
  const cut = new OffscreenCanvas(PORTRAIT_HEIGHT * ASPECT, PORTRAIT_HEIGHT)
  cut.getContext('2d')?.drawImage(canvas, x, y, width, height, 0, 0, cut.width, cut.height)
  return cut.convertToBlob({ type: 'image/jpeg', quality: PORTRAIT_QUALITY })
}
