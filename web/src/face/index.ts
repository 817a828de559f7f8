/** From a picture to a face on this device; the same numbers as veilface.face. */
export { averageEmbeddings, likeness } from './embedder'
export { FaceEngine } from './engine'
export { FaceError, type FaceErrorCode } from './errors'
export { Glancer, type Glance } from './glancer'
export { decodePicture } from './picture'
export { dominant } from './pipeline'
export type { Box, Detection, Face, Point, ProblemCode, Quality } from './types'
