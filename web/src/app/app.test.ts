import { describe, expect, it } from 'vitest'
import { between } from '@/components/app/counting'
import type { Person } from '@/device/people'
import { codeIn, codeLink } from './codes'
import { formatMoney, parseMoney, typedMoney } from './money'
import { greeted } from './whom'

const YUAN = { currency: 'CNY', exponent: 2 }
const YEN = { currency: 'JPY', exponent: 0 }

describe('an amount', () => {
  it.each([
    [0, '¥0.00'],
    [5, '¥0.05'],
    [1230, '¥12.30'],
    [123_456_789, '¥1,234,567.89'],
    [9_007_199_254_740_991, '¥90,071,992,547,409.91'],
  ])('of %i fen is shown as %s', (minor, shown) => {
    expect(formatMoney(minor, YUAN, 'zh')).toBe(shown)
  })

  it('says which way it went', () => {
    expect(formatMoney(100, YUAN, 'zh', 'in')).toBe('+¥1.00')
    expect(formatMoney(100, YUAN, 'en', 'out')).toBe('−¥1.00')
    expect(formatMoney(100, YEN, 'en')).toBe('¥100')
  })

  it.each([
    ['12', 1200],
    ['12.5', 1250],
    ['0.07', 7],
    ['１２。５', 1250],
    ['12.', 1200],
    ['', null],
    ['.5', null],
    ['1.234', null],
    ['1,5', null],
    ['-1', null],
    ['1e3', null],
    ['1234567890', null],
  ])('typed as %j is %s', (text, minor) => {
    expect(parseMoney(text, YUAN)).toBe(minor)
  })

  it('comes back as it was typed', () => {
    expect([1200, 1250, 7].map((minor) => typedMoney(minor, YUAN))).toEqual(['12', '12.50', '0.07'])
    expect(typedMoney(12, YEN)).toBe('12')
  })
})

describe('a payee code', () => {
  const here = 'https://pay.example'
  const code = 'A'.repeat(98)

  it('goes through its link', () => {
    expect(codeIn(codeLink(code, here), here)).toBe(code)
    expect(codeIn(` ${code} `, here)).toBe(code)
  })

  it.each(['https://other.example/app/pay#' + code, `${here}/app/me#${code}`, `${here}/app/pay`, 'hello', ''])(
    'is not seen in %j',
    (text) => {
      expect(codeIn(text, here)).toBeNull()
    },
  )
})

describe('money that counts', () => {
  it('passes whole minor units only, one way, and ends exactly', () => {
    const way = Array.from({ length: 12 }, (_, step) => between(50_000, 48_750, step / 11))
    expect(way.every(Number.isInteger)).toBe(true)
    expect(way).toEqual([...way].sort((one, other) => other - one))
    expect([way[0], way.at(-1)]).toEqual([50_000, 48_750])
  })
})

it('whoever is told of is greeted and never somebody else; untold, whoever left last', () => {
  const people = ['1', '2'].map((id) => ({ id }) as Person)
  expect(greeted(people, '2')?.id).toBe('2')
  expect(greeted(people, '3')).toBeUndefined()
  expect(greeted(people, undefined)?.id).toBe('1')
})
