/**
 * From a file to a bitmap, and from a bitmap to the working picture that detection and alignment see.
 *
 * Mirror of src/veilface/face/image.py: a picture larger than 2048 pixels is averaged down by a whole factor.
 */
import { FaceError } from './errors'
import { MIN_SIDE, readHeader } from './header'
import { reduce } from './resample'
import type { Pixels } from './types'

const WORKING_SIDE = 2048
/** Rows are read in strips of about this many pixels: whole pictures exceed what phones allow a canvas. */
const STRIP_PIXELS = 4_000_000

/** The picture that detection and alignment see; `factor` original pixels make one of its pixels. */
export interface WorkingPicture {
  readonly pixels: Pixels
  readonly factor: number
}

/** An upright bitmap of a JPEG, PNG or WebP file within limits. @throws FaceError with the reason */
export async function decodePicture(file: Blob): Promise<ImageBitmap> {
  const header = readHeader(new Uint8Array(await file.arrayBuffer()))
  try {
    // The type is what the bytes say; the file's own claim is not passed on.
    const bytes = file.slice(0, file.size, `image/${header.type}`)
    return await createImageBitmap(bytes, { imageOrientation: 'from-image', colorSpaceConversion: 'none' })
  } catch {
    throw new FaceError('face.broken_picture')
  }
}

/** How many pixels a side become one, so that the longer side fits and the shorter one stays usable. */
export function workingFactor(width: number, height: number): number {
  const fitting = Math.ceil(Math.max(width, height) / WORKING_SIDE)
  return Math.max(1, Math.min(fitting, Math.floor(Math.min(width, height) / MIN_SIDE)))
}

/** Reads and reduces a bitmap strip by strip; transparency is laid on white. The bitmap stays open. */
export function workingPicture(bitmap: ImageBitmap): WorkingPicture {
  const { width, height } = bitmap
  if (Math.min(width, height) < MIN_SIDE) {
    throw new FaceError('face.picture_too_small', { width, height, least: MIN_SIDE })
  }
  const factor = workingFactor(width, height)
  const columns = Math.floor(width / factor)
  const rows = Math.floor(height / factor)
  const pixels: Pixels = { width: columns, height: rows, data: new Uint8Array(columns * rows * 3) }
  const strip = Math.max(1, Math.floor(STRIP_PIXELS / (width * factor)))
  for (let row = 0; row < rows; row += strip) {
    const count = Math.min(strip, rows - row)
    const part = readStrip(bitmap, row * factor, columns * factor, count * factor)
    pixels.data.set(reduce(part, factor).data, row * columns * 3)
  }
  return { pixels, factor }
}

/** Frame after frame of a camera at another size, as the browser makes it; on one canvas, for a new one costs more. */
export class Miniatures {
  readonly #canvas = new OffscreenCanvas(1, 1)
  readonly #context = this.#canvas.getContext('2d', { willReadFrequently: true, alpha: false })

  /** The bitmap stays open. */
  of(bitmap: ImageBitmap, width: number, height: number): Pixels {
    if (!this.#context) throw new FaceError('face.failed')
    if (this.#canvas.width !== width) this.#canvas.width = width
    if (this.#canvas.height !== height) this.#canvas.height = height
    this.#context.drawImage(bitmap, 0, 0, width, height)
    return opaque(this.#context, width, height)
  }
}

function readStrip(bitmap: ImageBitmap, top: number, width: number, height: number): Pixels {
  const canvas = new OffscreenCanvas(width, height)
  const context = canvas.getContext('2d', { willReadFrequently: true })
  if (!context) throw new FaceError('face.failed')
  context.fillStyle = 'white'
  context.fillRect(0, 0, width, height)
  context.drawImage(bitmap, 0, -top)
  return opaque(context, width, height)
}

function opaque(context: OffscreenCanvasRenderingContext2D, width: number, height: number): Pixels {
  const rgba = context.getImageData(0, 0, width, height).data
  const data = new Uint8Array(width * height * 3)
  for (let from = 0, to = 0; to < data.length; from += 4, to += 3) {
    data[to] = rgba[from] ?? 0
    data[to + 1] = rgba[from + 1] ?? 0
    data[to + 2] = rgba[from + 2] ?? 0
  }
  return { width, height, data }
}
