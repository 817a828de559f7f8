import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const css = readFileSync(new URL('./tokens.css', import.meta.url), 'utf8')
const THEMES = ['light', 'dark'] as const

/** `--name: light-dark(#aabbcc, #ddeeff)` by name. */
const colours = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(([, name, light, dark]) => [
    name ?? '',
    { light: light ?? '', dark: dark ?? '' },
  ]),
)

function colour(name: string, theme: 'light' | 'dark'): string {
  const found = colours.get(name)
  if (!found) throw new Error(`no colour --${name}`)
  return found[theme]
}

/** Relative luminance, WCAG 2.2. */
function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (high + 0.05) / (low + 0.05)
}

const GROUNDS = ['ground', 'surface', 'sunken', 'accent-soft']
const TEXTS = ['text', 'text-muted', 'accent', 'accent-strong', 'accepted', 'refused', 'attention']
const SIGNALS = ['accepted', 'refused', 'attention']

describe.each(THEMES)('colours by %s', (theme) => {
  it.each(TEXTS.flatMap((text) => GROUNDS.map((ground) => [text, ground] as const)))(
    '%s on %s is readable (AA, 4.5 : 1)',
    (text, ground) => {
      expect(contrast(colour(text, theme), colour(ground, theme))).toBeGreaterThanOrEqual(4.5)
    },
  )

  it.each(SIGNALS)('%s and plain text are readable on its own ground', (signal) => {
    for (const text of [signal, 'text', 'text-muted']) {
      expect(contrast(colour(text, theme), colour(`${signal}-soft`, theme))).toBeGreaterThanOrEqual(4.5)
    }
  })

  it('text on the accent is readable', () => {
    expect(contrast(colour('on-accent', theme), colour('accent', theme))).toBeGreaterThanOrEqual(4.5)
  })

  it('edges of controls are seen (3 : 1)', () => {
    for (const ground of ['ground', 'surface']) {
      expect(contrast(colour('line-strong', theme), colour(ground, theme))).toBeGreaterThanOrEqual(3)
    }
  })
})
