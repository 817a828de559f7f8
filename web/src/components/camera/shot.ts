import type { Face, FaceEngine, ProblemCode } from '@/face'
import type { Timings } from './steps'

/** One picture of one face, measured on this device. */
export interface Shot {
  readonly id: string
  readonly face: Face & { readonly embedding: Float32Array; readonly crop: ImageData }
  /** A small JPEG of what was measured, for this device only, and its object URL. */
  readonly photo: Blob
  readonly url: string
  /** Name of the file, where it was uploaded. */
  readonly name?: string
  /** How long finding, aligning and measuring took. */
  readonly timings: Timings
}

/** With these there is nothing to measure; with any other problem a person may insist. */
const HOPELESS: readonly ProblemCode[] = ['no_face', 'several_faces', 'too_small']
const PHOTO_SIDE = 480
const PHOTO_QUALITY = 0.85

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
 * @param strict refuse every quality problem, not only the hopeless ones
 * @throws NoShot with the problem
 */
export async function makeShot(
  engine: FaceEngine,
  picture: ImageBitmap,
  { strict, name }: { strict: boolean; name?: string },
): Promise<Shot> {
  const photo = await smallPhoto(picture)
  const started = performance.now()
  const faces = await engine.analyse(picture)
  const measuredMs = performance.now() - started
  const [face] = faces
  if (!face) throw new NoShot('no_face')
  if (faces.length > 1) throw new NoShot('several_faces')
  const problem = face.quality.problems.find((code) => strict || HOPELESS.includes(code))
  if (problem) throw new NoShot(problem)
  const { embedding, crop } = face
  if (!embedding || !crop) throw new NoShot('no_face')
  const shot = { id: crypto.randomUUID(), face: { ...face, embedding, crop }, photo, measuredMs }
  return { ...shot, url: URL.createObjectURL(photo), ...(name === undefined ? {} : { name }) }
}

/** Overwrites what was measured and lets the picture go. */
export function forgetShot(shot: Shot): void {
  shot.face.embedding.fill(0)
  shot.face.crop.data.fill(0)
  URL.revokeObjectURL(shot.url)
}

/** A JPEG whose longer side is at most 480 px; everything else about the picture (place, camera) is left behind. */
async function smallPhoto(picture: ImageBitmap): Promise<Blob> {
  const scale = Math.min(1, PHOTO_SIDE / Math.max(picture.width, picture.height))
  const canvas = new OffscreenCanvas(Math.round(picture.width * scale), Math.round(picture.height * scale))
  canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height)
  return canvas.convertToBlob({ type: 'image/jpeg', quality: PHOTO_QUALITY })
}
