/** What crosses between the page and the worker that looks at faces. */
import type { FaceErrorCode } from './errors'
import type { Detection, Face } from './types'

export type ToWorker =
  /** A worker that only glances needs the detector alone. */
  | { readonly kind: 'load'; readonly id: number; readonly only: 'detector' | null }
  | { readonly kind: 'detect' | 'analyse' | 'glance'; readonly id: number; readonly bitmap: ImageBitmap }
  | { readonly kind: 'closer'; readonly id: number; readonly bitmap: ImageBitmap; readonly seen: Detection }

export type FromWorker =
  | { readonly kind: 'progress'; readonly id: number; readonly loaded: number; readonly total: number }
  | { readonly kind: 'ready'; readonly id: number }
  | { readonly kind: 'faces'; readonly id: number; readonly faces: readonly Face[] }
  /** The frame comes back, for closer looks. */
  | { readonly kind: 'glanced'; readonly id: number; readonly seen: readonly Detection[]; readonly bitmap: ImageBitmap }
  | {
      readonly kind: 'failed'
      readonly id: number
      readonly code: FaceErrorCode
      readonly details: Readonly<Record<string, number>>
    }

/** The answers that end a request. */
export type Answer = Extract<FromWorker, { kind: 'ready' | 'faces' | 'glanced' }>
