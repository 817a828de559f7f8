/**
 * What a picture's file says about itself, read before any decoder may touch it.
 *
 * Mirror of src/veilface/face/header.py: only JPEG, PNG and WebP, complete and within limits.
 */
import { FaceError } from './errors'

export const MAX_BYTES = 6 * 1024 * 1024
export const MAX_PIXELS = 40_000_000
export const MIN_SIDE = 32

/** Type and size in stored pixels, before any EXIF rotation. */
export interface Header {
  readonly type: 'jpeg' | 'png' | 'webp'
  readonly width: number
  readonly height: number
}

/** Checks type, completeness and limits. @throws FaceError with the code of what does not hold */
export function readHeader(data: Uint8Array): Header {
  if (data.length > MAX_BYTES) throw new FaceError('face.picture_too_heavy', { got: data.length, limit: MAX_BYTES })
  const header = parse(data)
  const { width, height } = header
  if (width * height > MAX_PIXELS) throw new FaceError('face.too_many_pixels', { width, height, limit: MAX_PIXELS })
  if (Math.min(width, height) < MIN_SIDE) {
    throw new FaceError('face.picture_too_small', { width, height, least: MIN_SIDE })
  }
  return header
}

function parse(data: Uint8Array): Header {
  if (text(data, 0, 8) === '\x89PNG\r\n\x1a\n') return parsePng(data)
  if (text(data, 0, 3) === '\xff\xd8\xff') return parseJpeg(data)
  if (text(data, 0, 4) === 'RIFF' && text(data, 8, 4) === 'WEBP') return parseWebp(data)
  throw new FaceError('face.unknown_picture_type')
}

function text(data: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...data.subarray(at, at + length))
}

function byte(data: Uint8Array, at: number): number {
  const value = data[at]
  if (value === undefined) throw new FaceError('face.broken_picture')
  return value
}

function big(data: Uint8Array, at: number, length: number): number {
  let value = 0
  for (let index = 0; index < length; index += 1) value = value * 256 + byte(data, at + index)
  return value
}

function little(data: Uint8Array, at: number, length: number): number {
  let value = 0
  for (let index = length - 1; index >= 0; index -= 1) value = value * 256 + byte(data, at + index)
  return value
}

function parsePng(data: Uint8Array): Header {
  if (text(data, 12, 4) !== 'IHDR') throw new FaceError('face.broken_picture')
  let at = 8
  while (text(data, at + 4, 4) !== 'IEND') at += 12 + big(data, at, 4)
  return { type: 'png', width: big(data, 16, 4), height: big(data, 20, 4) }
}

function hasNoLength(marker: number): boolean {
  return marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)
}

function startsFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
}

/** Walks the segments up to the first scan; entropy-coded data holds FF D9 only as the end of the image. */
function parseJpeg(data: Uint8Array): Header {
  let at = 2
  let frame: Header | undefined
  for (;;) {
    if (byte(data, at) !== 0xff) throw new FaceError('face.broken_picture')
    const marker = byte(data, at + 1)
    if (marker === 0xff) {
      at += 1
      continue
    }
    if (marker === 0xda) break
    if (startsFrame(marker)) {
      frame ??= { type: 'jpeg', width: big(data, at + 7, 2), height: big(data, at + 5, 2) }
    }
    at += hasNoLength(marker) ? 2 : 2 + big(data, at + 2, 2)
  }
  if (!frame || !hasEnd(data, at)) throw new FaceError('face.broken_picture')
  return frame
}

function hasEnd(data: Uint8Array, from: number): boolean {
  for (let at = data.indexOf(0xff, from); at >= 0; at = data.indexOf(0xff, at + 1)) {
    if (data[at + 1] === 0xd9) return true
  }
  return false
}

function parseWebp(data: Uint8Array): Header {
  if (8 + little(data, 4, 4) > data.length) throw new FaceError('face.broken_picture')
  switch (text(data, 12, 4)) {
    case 'VP8X':
      return { type: 'webp', width: 1 + little(data, 24, 3), height: 1 + little(data, 27, 3) }
    case 'VP8L': {
      const bits = little(data, 21, 4)
      return { type: 'webp', width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) }
    }
    case 'VP8 ':
      return { type: 'webp', width: little(data, 26, 2) & 0x3fff, height: little(data, 28, 2) & 0x3fff }
    default:
      throw new FaceError('face.broken_picture')
  }
}
