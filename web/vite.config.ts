import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defaultClientConditions } from 'vite'
import { defineConfig } from 'vitest/config'
import { installable } from './pwa/plugin.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Without these two the browser gives WebAssembly one thread only. */
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

export default defineConfig(({ command }) => ({
  base: command === 'build' ? '/static/web/' : '/',
  plugins: [vue(), installable({ worker: here('./pwa/worker.ts'), mark: here('./public/favicon.svg') })],
  resolve: {
    alias: { '@': here('./src') },
    // onnxruntime-web without its runtime inside: src/face/runtime.ts hands it the files
    conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions],
  },
  assetsInclude: ['**/*.onnx'],
  build: {
    outDir: here('../src/veilface/server/static/web'),
    emptyOutDir: true,
    // A model or a runtime inside a data: URL would be refused by the content security policy.
    assetsInlineLimit: (file: string) => (/\.(wasm|onnx|mjs)$/.test(file) ? false : undefined),
    chunkSizeWarningLimit: 700,
  },
  worker: { format: 'es' },
  optimizeDeps: { exclude: ['onnxruntime-web', 'node-seal'] },
  server: {
    headers: isolation,
    fs: { allow: [here('..')] },
    proxy: { '/api': 'http://localhost:8000' },
  },
  test: {
    include: ['src/**/*.test.ts', 'tests/**/*.test.ts', 'pwa/*.test.ts'],
    environment: 'node',
    testTimeout: 30_000,
  },
}))
