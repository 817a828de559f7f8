/** A code to be paid by, as a QR code carries it: a link into the app, the code behind the `#`, which no server sees. */

const CODE = /^[\w-]{20,200}$/
const PAY = '/app/pay'

export function codeLink(code: string, origin: string): string {
  return `${origin}${PAY}#${code}`
}

/** The code in what was scanned, or null where this is no payee code of this site. */
export function codeIn(text: string, origin: string): string | null {
  const trimmed = text.trim()
  if (CODE.test(trimmed)) return trimmed
  const link = URL.parse(trimmed)
  if (link?.origin !== origin || link.pathname !== PAY) return null
  const code = link.hash.slice(1)
  return CODE.test(code) ? code : null
}
