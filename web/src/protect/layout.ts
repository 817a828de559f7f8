/** Fixed-size, big-endian structures: a writer and a strict reader. */
import type { Bytes } from './bytes'
import { ProtectError } from './errors'

export function malformed(field: string, got: string | number, expected: string | number): ProtectError {
  return new ProtectError('malformed_envelope', { field, got, expected })
}

export function exactly(bytes: Uint8Array, length: number, field: string): void {
  if (bytes.length !== length) throw malformed(field, `${bytes.length} B`, `${length} B`)
}

export class Writer {
  readonly #bytes: Bytes
  readonly #view: DataView
  #offset = 0

  constructor(length: number) {
    this.#bytes = new Uint8Array(length)
    this.#view = new DataView(this.#bytes.buffer)
  }

  text(value: string): this {
    return this.bytes(new TextEncoder().encode(value), value.length, 'text')
  }

  bytes(value: Uint8Array, length: number, field: string): this {
    exactly(value, length, field)
    this.#bytes.set(value, this.#offset)
    this.#offset += length
    return this
  }

  /** An unsigned integer of 1, 2, 4 or 8 bytes, at most 2^53 − 1. */
  unsigned(value: number, size: 1 | 2 | 4 | 8, field: string): this {
    if (!Number.isSafeInteger(value) || value < 0 || value >= 2 ** (8 * size)) {
      throw malformed(field, value, `u${8 * size}`)
    }
    for (let rest = value, place = size - 1; place >= 0; place--, rest = Math.floor(rest / 256)) {
      this.#view.setUint8(this.#offset + place, rest % 256)
    }
    this.#offset += size
    return this
  }

  /** @throws RangeError where the structure was not filled to the last byte: a mistake of this program */
  done(): Bytes {
    if (this.#offset !== this.#bytes.length) throw new RangeError(`${this.#offset} of ${this.#bytes.length} bytes`)
    return this.#bytes
  }
}

export class Reader {
  readonly #bytes: Bytes
  readonly #view: DataView
  #offset = 0

  constructor(bytes: Bytes, length: number, field: string) {
    exactly(bytes, length, field)
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  text(expected: string, field: string): void {
    const got = new TextDecoder('latin1').decode(this.bytes(expected.length))
    if (got !== expected) throw malformed(field, got, expected)
  }

  bytes(length: number): Bytes {
    this.#offset += length
    return this.#bytes.slice(this.#offset - length, this.#offset)
  }

  unsigned(size: 1 | 2 | 4 | 8, field: string): number {
    let value = 0n
    for (let place = 0; place < size; place++) value = value * 256n + BigInt(this.#view.getUint8(this.#offset++))
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(field, value.toString(), 'at most 2^53 - 1')
    return Number(value)
  }

  zeros(length: number, field: string): void {
    if (this.bytes(length).some((byte) => byte !== 0)) throw malformed(field, 'not zero', 'zero')
  }

  /** One byte that is one of the values of `known`. */
  member<Value extends number>(known: Readonly<Record<string, Value>>, field: string): Value {
    const got = this.unsigned(1, field)
    const found = Object.values(known).find((value) => value === got)
    if (found === undefined) throw malformed(field, got, Object.values(known).join(', '))
    return found
  }
}
