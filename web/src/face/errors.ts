/** The codes of veilface.face.errors: what is refused, and why. */
export type FaceErrorCode =
  | 'face.failed'
  | 'face.unknown_picture_type'
  | 'face.broken_picture'
  | 'face.picture_too_heavy'
  | 'face.too_many_pixels'
  | 'face.picture_too_small'
  | 'face.no_face'
  | 'face.several_faces'

export class FaceError extends Error {
  readonly code: FaceErrorCode
  readonly details: Readonly<Record<string, number>>

  constructor(code: FaceErrorCode, details: Readonly<Record<string, number>> = {}) {
    super(code)
    this.name = 'FaceError'
    this.code = code
    this.details = details
  }
}
