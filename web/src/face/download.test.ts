import { readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { downloadAll } from './download'
import { FaceError } from './errors'
import { SIZES } from './sizes'

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))
const MODELS = '../../../src/veilface/face/models'
const FILES = {
  runtime: path('../../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm'),
  yunet: path(`${MODELS}/yunet.onnx`),
  sface: path(`${MODELS}/sface.onnx`),
}

afterEach(() => {
  vi.unstubAllGlobals()
})

/** Answers every request with `content` in chunks of seven bytes. */
function serve(content: Uint8Array<ArrayBuffer>, status = 200): void {
  vi.stubGlobal('fetch', () => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < content.length; at += 7) controller.enqueue(content.subarray(at, at + 7))
        controller.close()
      },
    })
    return Promise.resolve(new Response(body, { status }))
  })
}

describe('downloads', () => {
  it('knows the true sizes of runtime and models', () => {
    expect(Object.entries(FILES).map(([name, file]) => [name, statSync(file).size])).toEqual(Object.entries(SIZES))
  })

  it('counts bytes over all files and returns them whole', async () => {
    const content = new Uint8Array(readFileSync(FILES.yunet)).slice(0, 1000)
    serve(content)
    const heard: [number, number][] = []
    const files = [
      { url: '/a', size: 1000 },
      { url: '/b', size: 1000 },
    ]
    const got = await downloadAll(files, (loaded, total) => heard.push([loaded, total]))
    expect(got).toEqual([content, content])
    expect(heard[0]).toEqual([0, 2000])
    expect(heard.at(-1)).toEqual([2000, 2000])
    expect(heard.every(([loaded], index) => index === 0 || loaded > (heard[index - 1]?.[0] ?? 0))).toBe(true)
  })

  it.each([
    ['shorter', 1001, 200],
    ['longer', 999, 200],
    ['not there', 1000, 404],
  ])('refuses a file that is %s', async (_, size, status) => {
    serve(new Uint8Array(1000), status)
    await expect(downloadAll([{ url: '/a', size }], () => undefined)).rejects.toThrow(FaceError)
  })
})
