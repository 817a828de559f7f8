import { describe, expect, it } from 'vitest'
import { concatBytes, fromBase64url, fromHex, toBase64url, toHex } from '@/api/bytes'

const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)

describe('base64url', () => {
  it('knows the examples of RFC 4648', () => {
    const encode = (text: string): string => toBase64url(new TextEncoder().encode(text))
    expect(['', 'f', 'fo', 'foo', 'foob', 'fooba', 'foobar'].map(encode)).toEqual([
      '',
      'Zg',
      'Zm8',
      'Zm9v',
      'Zm9vYg',
      'Zm9vYmE',
      'Zm9vYmFy',
    ])
  })

  it('comes back, also when long', () => {
    const long = concatBytes(...Array.from({ length: 300 }, () => bytes))
    expect(fromBase64url(toBase64url(long))).toEqual(long)
  })

  it('uses no character that means something in an address', () => {
    expect(toBase64url(Uint8Array.of(0xfb, 0xff, 0xfe))).toBe('-__-')
  })

  it.each(['Zg==', 'Zm+v', 'Zm/v', 'Z', 'Zm 9v'])('refuses %s', (text) => {
    expect(() => fromBase64url(text)).toThrow(RangeError)
  })
})

describe('hexadecimal', () => {
  it('comes back', () => {
    expect(fromHex(toHex(bytes))).toEqual(bytes)
  })

  it.each(['0', '0g', ' 00'])('refuses %j', (text) => {
    expect(() => fromHex(text)).toThrow(RangeError)
  })
})
