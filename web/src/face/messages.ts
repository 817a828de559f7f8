/** What crosses between the page and the worker that looks at faces. */
import type { FaceErrorCode } from './errors'
import type { Face } from './types'

export type ToWorker =
  | { readonly kind: 'load'; readonly id: number }
  | { readonly kind: 'detect' | 'analyse'; readonly id: number; readonly bitmap: ImageBitmap }

export type FromWorker =
  | { readonly kind: 'progress'; readonly id: number; readonly loaded: number; readonly total: number }
  | { readonly kind: 'ready'; readonly id: number }
  | { readonly kind: 'faces'; readonly id: number; readonly faces: readonly Face[] }
  | {
      readonly kind: 'failed'
      readonly id: number
      readonly code: FaceErrorCode
      readonly details: Readonly<Record<string, number>>
    }
