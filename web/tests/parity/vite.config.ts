import { fileURLToPath } from 'node:url'
import { defaultClientConditions, defineConfig } from 'vite'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** A page for the parity test only: built into .cache/parity, never part of the site. */
export default defineConfig({
  root: here('.'),
  resolve: { conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions] },
  assetsInclude: ['**/*.onnx'],
  build: {
    outDir: here('../../../.cache/parity'),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: false,
  },
  worker: { format: 'es' },
})
