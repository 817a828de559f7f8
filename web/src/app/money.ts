/** Amounts as people write and read them. Inside, an amount is a whole number of minor units, never a fraction. */

export interface Currency {
  readonly currency: string
  /** Digits behind the point: 2 for yuan and fen. */
  readonly exponent: number
}

const MOST_DIGITS = 9

/** `¥12.30`; `sign` shows which way the money went. Exact: no fraction is ever calculated. */
export function formatMoney(
  minor: number,
  { currency, exponent }: Currency,
  language: string,
  sign: 'plain' | 'in' | 'out' = 'plain',
): string {
  const digits = String(Math.abs(minor)).padStart(exponent + 1, '0')
  const decimal = exponent > 0 ? `${digits.slice(0, -exponent)}.${digits.slice(-exponent)}` : digits
  const format = new Intl.NumberFormat(language, {
    style: 'currency',
    currency,
    currencyDisplay: 'narrowSymbol',
    minimumFractionDigits: exponent,
    maximumFractionDigits: exponent,
  })
  const signs = { plain: minor < 0 ? '−' : '', in: '+', out: '−' }
  return signs[sign] + format.format(decimal as `${number}`)
}

/** Minor units of what somebody typed (`12`, `12.5`, `１２。５`), or null where it is no amount. */
export function parseMoney(text: string, { exponent }: Currency): number | null {
  const plain = text.normalize('NFKC').replaceAll('。', '.').trim()
  const [whole, fraction = ''] = plain.split('.')
  if (!/^\d*\.?\d*$/.test(plain) || !whole || whole.length > MOST_DIGITS || fraction.length > exponent) return null
  return Number(whole + fraction.padEnd(exponent, '0'))
}

/** How an amount stands in a field: `12.30`, and `12` where nothing is behind the point. */
export function typedMoney(minor: number, { exponent }: Currency): string {
  const digits = String(minor).padStart(exponent + 1, '0')
  const fraction = exponent > 0 ? digits.slice(-exponent) : ''
  const whole = exponent > 0 ? digits.slice(0, -exponent) : digits
  return /[1-9]/.test(fraction) ? `${whole}.${fraction}` : whole
}
