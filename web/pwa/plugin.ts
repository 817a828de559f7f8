/** Makes the app installable: its service worker, its manifest in both languages, and its icons. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin, Rolldown } from 'vite'
import en from '../src/locales/en/app.json' with { type: 'json' }
import zh from '../src/locales/zh/app.json' with { type: 'json' }
import { icon, parseMark } from './icons.ts'

type Bundle = Rolldown.OutputBundle
type Chunk = Rolldown.OutputChunk

const WORKER = 'sw.js'
/** The pages of the app; what they need at once is the shell. */
const APP_PAGE = '/src/pages/app/'
/** Only names with a hash in them may be kept for ever. */
const HASHED = /^assets\/.+-[\w-]{8}\.\w+$/
/** Files of the shell under names that stay: their contents count for the version. */
const SHELL_EXTRAS = ['boot.js', 'favicon.svg']
const ICONS = [
  { name: 'icon-192.png', side: 192, purpose: 'any' },
  { name: 'icon-512.png', side: 512, purpose: 'any' },
  { name: 'maskable-512.png', side: 512, purpose: 'maskable' },
  { name: 'apple-180.png', side: 180, purpose: 'any' },
] as const
const LISTED = ICONS.filter(({ name }) => !name.startsWith('apple'))

export function installable(paths: { worker: string; mark: string }): Plugin {
  let base = '/'
  let extras: readonly string[] = []
  return {
    name: 'veilface-installable',
    apply: 'build',
    enforce: 'post',
    configResolved(config) {
      base = config.base
      extras = SHELL_EXTRAS.map((name) => readFileSync(join(config.publicDir, name), 'utf8'))
    },
    buildStart() {
      this.emitFile({ type: 'chunk', id: paths.worker, fileName: WORKER })
    },
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const mark = parseMark(readFileSync(paths.mark, 'utf8'))
        for (const { name, side, purpose } of ICONS) {
          this.emitFile({ type: 'asset', fileName: `app/${name}`, source: icon(mark, side, purpose) })
        }
        for (const [language, words] of Object.entries({ 'zh-Hans': zh, en })) {
          const source = JSON.stringify(manifest(language, words.manifest, base))
          this.emitFile({ type: 'asset', fileName: `app/${language}.webmanifest`, source })
        }
        fill(bundle, base, extras)
      },
    },
  }
}

function manifest(lang: string, words: typeof zh.manifest, base: string): object {
  return {
    id: '/app',
    start_url: '/app',
    scope: '/app',
    lang,
    dir: 'ltr',
    ...words,
    display: 'standalone',
    orientation: 'portrait',
    background_color: '#f5f6f4',
    theme_color: '#f5f6f4',
    categories: ['finance', 'security'],
    icons: LISTED.map(({ name, side, purpose }) => ({
      src: `${base}app/${name}`,
      sizes: `${side}x${side}`,
      type: 'image/png',
      purpose,
    })),
  }
}

/** Tells the service worker which files there are; `extras` are the contents of what stays under its name. */
export function fill(bundle: Bundle, base: string, extras: readonly string[]): void {
  const worker = bundle[WORKER]
  const page = bundle['index.html']
  if (worker?.type !== 'chunk' || page?.type !== 'asset') throw new Error('no worker or no page in the build')
  const [shell, steady] = [shellFiles(bundle), SHELL_EXTRAS].map((names) => names.map((name) => base + name))
  const files = Object.keys(bundle).filter((name) => HASHED.test(name)).map((name) => base + name).sort()
  const version = createHash('sha256').update(JSON.stringify([shell, extras, page.source])).digest('hex').slice(0, 16)
  worker.code = worker.code
    .replaceAll('__SHELL__', JSON.stringify(shell))
    .replaceAll('__STEADY__', JSON.stringify(steady))
    .replaceAll('__FILES__', JSON.stringify(files))
    .replaceAll('__VERSION__', JSON.stringify(version))
}

/** What the entry and the pages of the app import at once, with their styles. */
export function shellFiles(bundle: Bundle): string[] {
  const found = new Set<string>()
  const chunks = Object.values(bundle).filter((file): file is Chunk => file.type === 'chunk' && file.fileName !== WORKER)
  const visit = (chunk: Chunk): void => {
    if (found.has(chunk.fileName)) return
    found.add(chunk.fileName)
    for (const style of chunk.viteMetadata?.importedCss ?? []) found.add(style)
    for (const name of chunk.imports) {
      const next = bundle[name]
      if (next?.type === 'chunk') visit(next)
    }
  }
  chunks.filter((chunk) => chunk.isEntry || (chunk.facadeModuleId ?? '').includes(APP_PAGE)).forEach(visit)
  return [...found].sort()
}
