/** Builds `browser-entry.ts` as the site is built, into the folder named by the first argument, for Python's browser test. */
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

await build({
  root: here('../..'),
  base: '/',
  configFile: false,
  publicDir: false,
  logLevel: 'error',
  resolve: { alias: { '@': here('../../src') } },
  worker: { format: 'es' },
  build: {
    outDir: process.argv[2],
    assetsInlineLimit: 0,
    rollupOptions: { input: here('./browser-entry.ts'), output: { entryFileNames: 'entry.js' } },
  },
})
