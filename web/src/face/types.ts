/** What a face is, in the words of veilface.face (src/veilface/face/pipeline.py). */

export type ProblemCode =
  | 'no_face'
  | 'several_faces'
  | 'too_small'
  | 'too_close'
  | 'off_centre'
  | 'too_dark'
  | 'too_bright'
  | 'blurred'
  | 'turned'
  | 'tilted'
  | 'occluded'

/** x, y, width, height. */
export type Box = readonly [number, number, number, number]
export type Point = readonly [number, number]

/** Rows of interleaved red, green and blue bytes. */
export interface Pixels {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array<ArrayBuffer>
}

/** One face as the detector sees it, in pixels of the picture it was found in. */
export interface Detection {
  readonly box: Box
  /** Right eye, left eye, nose, right and left corner of the mouth; right is the person's right. */
  readonly landmarks: readonly Point[]
  /** 0.6 to 1. */
  readonly score: number
}

export interface Quality {
  /** Shorter side of the box, in pixels of the picture. */
  readonly size: number
  /** Energy of the Laplacian over energy of the gradient in the crop: about 1 is sharp, under 0.3 blurred. */
  readonly sharpness: number
  /** Mean luma of the face, 0 to 255. */
  readonly brightness: number
  /** Degrees, rough; positive when the nose points to the right of the picture. */
  readonly yaw: number
  /** Degrees, rough; positive when the nose points up. */
  readonly pitch: number
  /** Degrees, understated beyond 15; positive when the head is turned clockwise in the picture. */
  readonly roll: number
  /** A hint of a covered mouth, 0 to 1; it does not see sunglasses. */
  readonly occlusion: number
  /** What is beyond the limits asked for, the most urgent first. */
  readonly problems: readonly ProblemCode[]
}

/** One face; coordinates are pixels of the picture. */
export interface Face extends Detection {
  readonly quality: Quality
  /** Size in pixels, less towards the edge; see `dominant`. */
  readonly prominence: number
  /** 112 × 112 pixels, aligned; from `analyse` only. */
  readonly crop?: ImageData
  /** 128 numbers of unit length, centred; from `analyse` only. */
  readonly embedding?: Float32Array<ArrayBuffer>
  /** Milliseconds it took to find the face in the picture, to align it, to judge and embed it; from `analyse` only. */
  readonly timings?: { readonly found: number; readonly aligned: number; readonly measured: number }
}
