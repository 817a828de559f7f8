/** What a data picture shows. */
export type DataSource =
  | { readonly kind: 'crop'; readonly image: ImageData }
  | { readonly kind: 'embedding'; readonly values: Float32Array }
  | { readonly kind: 'words'; readonly bytes: Uint8Array }

/** As many numbers as a person may want to scroll through; the rest is counted. */
export const SHOWN = 512

export interface Numbers {
  readonly shown: readonly string[]
  readonly more: number
}

/** The numbers behind a picture: colours as hex, components with sign, ciphertext words as hex. */
export function numbersOf(source: DataSource): Numbers {
  switch (source.kind) {
    case 'crop':
      return take(source.image.data.length / 4, (pixel) => hex(source.image.data.subarray(pixel * 4, pixel * 4 + 3)))
    case 'embedding':
      return take(source.values.length, (index) => signed(source.values[index] ?? 0))
    case 'words':
      return take(source.bytes.length / 3, (word) => hex(source.bytes.slice(word * 3, word * 3 + 3).reverse()))
  }
}

function take(count: number, at: (index: number) => string): Numbers {
  const shown = Array.from({ length: Math.min(count, SHOWN) }, (_, index) => at(index))
  return { shown, more: count - shown.length }
}

function signed(value: number): string {
  return (value < 0 ? '−' : '+') + Math.abs(value).toFixed(4)
}

function hex(bytes: ArrayLike<number>): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
