import type { Box } from '@/face'

/** The oval is portrait 3:4; what is outside it is neither shown nor looked at, so people behind do not disturb. */
export const ASPECT = 3 / 4
/** Height in pixels of the pictures looked at while aiming: enough to judge quality, quick to search. */
const AIM_HEIGHT = 480

export interface Rectangle {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** The largest centred 3:4 part of a `width`×`height` picture, in whole pixels. */
export function portraitPart(width: number, height: number): Rectangle {
  const partWidth = Math.round(Math.min(width, height * ASPECT))
  const partHeight = Math.round(Math.min(height, width / ASPECT))
  return {
    x: Math.floor((width - partWidth) / 2),
    y: Math.floor((height - partHeight) / 2),
    width: partWidth,
    height: partHeight,
  }
}

/** Share of a portrait's height that the face takes. */
const FACE_SHARE = 0.5

/**
 * The 3:4 part of a picture that shows head and shoulders, moved and cut to stay inside the picture.
 * @param box the face in pixels of the original, of which `size` is a copy reduced by `scale`
 */
export function aroundFace(box: Box, scale: number, size: { width: number; height: number }): Rectangle {
  const [left, top, boxWidth, boxHeight] = box.map((value) => value * scale) as [number, number, number, number]
  const height = Math.min(boxHeight / FACE_SHARE, size.height, size.width / ASPECT)
  const width = height * ASPECT
  const within = (wanted: number, most: number): number => Math.max(0, Math.min(wanted, most))
  return {
    x: within(left + boxWidth / 2 - width / 2, size.width - width),
    y: within(top + boxHeight / 2 - height / 2, size.height - height),
    width,
    height,
  }
}

/** Longer side of the frames in which several faces are followed: enough to measure one three metres away. */
const WHOLE_SIDE = 800

/** The whole current video frame, reduced where it is large. */
export async function grabWhole(video: HTMLVideoElement): Promise<ImageBitmap> {
  const scale = Math.min(1, WHOLE_SIDE / Math.max(video.videoWidth, video.videoHeight))
  return createImageBitmap(video, {
    resizeWidth: Math.round(video.videoWidth * scale),
    resizeHeight: Math.round(video.videoHeight * scale),
    resizeQuality: 'medium',
    colorSpaceConversion: 'none',
  })
}

/** The part of the current video frame inside the frame of the oval: small while aiming, in full for a shot. */
export async function grab(video: HTMLVideoElement, purpose: 'aim' | 'shot'): Promise<ImageBitmap> {
  const part = portraitPart(video.videoWidth, video.videoHeight)
  const height = purpose === 'aim' ? Math.min(AIM_HEIGHT, part.height) : part.height
  return createImageBitmap(video, part.x, part.y, part.width, part.height, {
    resizeHeight: height,
    resizeWidth: Math.round(height * ASPECT),
    resizeQuality: 'medium',
    colorSpaceConversion: 'none',
  })
}
