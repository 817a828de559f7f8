import { readFileSync } from 'node:fs'
import { inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { icon, parseMark } from './icons'
import { fill, shellFiles } from './plugin'

const mark = parseMark(readFileSync(new URL('../public/favicon.svg', import.meta.url), 'utf8'))
const SIDE = 48

/** Colour of one pixel of a PNG as `icon` writes it: one chunk of pixels, no filter. */
function pixel(png: Buffer, x: number, y: number): number[] {
  const at = png.indexOf('IDAT')
  const rows = inflateSync(png.subarray(at + 4, at + 4 + png.readUInt32BE(at - 4)))
  const start = y * (1 + SIDE * 4) + 1 + x * 4
  return [...rows.subarray(start, start + 4)]
}

describe('the icons', () => {
  it('are the mark of the site: all its lines and cells', () => {
    expect(mark.rectangles).toHaveLength(6 + 16)
    expect(mark.rectangles[0]).toEqual({ x: 8.9, y: 3.9, width: 15.5 - 8.9, height: 2.6, opacity: 1 })
  })

  it('are PNGs on the ground of the mark, with ink where the mark has some', () => {
    for (const purpose of ['any', 'maskable'] as const) {
      const png = icon(mark, SIDE, purpose)
      expect(png.subarray(1, 4).toString('latin1')).toBe('PNG')
      expect(pixel(png, 0, 0)).toEqual([...mark.ground, 255])
      const inks = Array.from({ length: SIDE }, (_, y) => pixel(png, 18, y)[0])
      expect(Math.max(...inks.map(Number))).toBeGreaterThan(200)
    }
  })

  it('refuse a mark they cannot draw', () => {
    expect(() => parseMark('<rect fill="#000000"/><g fill="#ffffff"><path d="M0 0a1 1 0 0 1 2 2z"/>')).toThrow(RangeError)
  })
})

it('the shell is what the entry and the pages of the app import at once, with their styles', () => {
  const chunk = (fileName: string, more: object): object => ({
    type: 'chunk',
    fileName,
    imports: [],
    facadeModuleId: null,
    isEntry: false,
    viteMetadata: { importedCss: new Set([`${fileName}.css`]) },
    ...more,
  })
  const bundle = {
    'entry.js': chunk('entry.js', { isEntry: true, imports: ['shared.js'] }),
    'shared.js': chunk('shared.js', {}),
    'wallet.js': chunk('wallet.js', { facadeModuleId: '/web/src/pages/app/WalletPage.vue', imports: ['shared.js'] }),
    'home.js': chunk('home.js', { facadeModuleId: '/web/src/pages/HomePage.vue' }),
    'sw.js': chunk('sw.js', { isEntry: true }),
  }
  expect(shellFiles(bundle as never).filter((name) => name.endsWith('.js'))).toEqual(['entry.js', 'shared.js', 'wallet.js'])
  expect(shellFiles(bundle as never)).toContain('wallet.js.css')
})

it('another file under the same name is another version of the shell', () => {
  const version = (boot: string): string => {
    const worker = { type: 'chunk', fileName: 'sw.js', code: '__VERSION__ __STEADY__', imports: [] }
    const page = { type: 'asset', fileName: 'index.html', source: '<script src="/boot.js"></script>' }
    fill({ 'sw.js': worker, 'index.html': page } as never, '/', [boot, '<svg/>'])
    return worker.code
  }
  expect(version('1')).toMatch(/^"[0-9a-f]{16}" \["\/boot.js","\/favicon.svg"\]$/)
  expect(version('1')).toBe(version('1'))
  expect(version('2')).not.toBe(version('1'))
})
