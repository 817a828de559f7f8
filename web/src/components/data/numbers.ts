import type { Records } from '@/protect'
import { recordTotal, recordWords } from './records'

/** What a data picture shows. */
export type DataSource =
  | { readonly kind: 'crop'; readonly image: ImageData }
  | { readonly kind: 'embedding'; readonly values: Float32Array }
  | { readonly kind: 'words'; readonly bytes: Uint8Array }
  | { readonly kind: 'ranks'; readonly ranks: Uint8Array; readonly group: number }
  | { readonly kind: 'records'; readonly records: Records }
  | { readonly kind: 'counts'; readonly counts: Int8Array }

/** As many numbers as a person may want to scroll through; the rest is counted. */
export const SHOWN = 512

export interface Numbers {
  readonly shown: readonly string[]
  readonly more: number
}

/** The numbers behind a picture: colours as hex, components and counts with sign, ciphertext words as hex, ranks. */
export function numbersOf(source: DataSource): Numbers {
  switch (source.kind) {
    case 'crop':
      return take(source.image.data.length / 4, (pixel) => hex(source.image.data.subarray(pixel * 4, pixel * 4 + 3)))
    case 'embedding':
      return take(source.values.length, (index) => signed(source.values[index] ?? 0, 4))
    case 'words':
      return take(source.bytes.length / 3, (word) => hex(source.bytes.slice(word * 3, word * 3 + 3).reverse()))
    case 'ranks':
      return take(source.ranks.length, (index) => String(source.ranks[index] ?? 0))
    case 'records':
      return take(recordTotal(source.records), (index) => recordWords(source.records, index))
    case 'counts':
      return take(source.counts.length, (index) => signed(source.counts[index] ?? 0, 0))
  }
}

function take(count: number, at: (index: number) => string): Numbers {
  const shown = Array.from({ length: Math.min(count, SHOWN) }, (_, index) => at(index))
  return { shown, more: count - shown.length }
}

function signed(value: number, decimals: number): string {
  const sign = value < 0 ? '−' : value > 0 ? '+' : ''
  return sign + Math.abs(value).toFixed(decimals)
}

function hex(bytes: ArrayLike<number>): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
