/**
 * The one place that opens a shipped model: files from this site, their hashes checked, run by WebAssembly.
 *
 * Without cross-origin isolation a browser gives WebAssembly one thread; everything works then, only slower.
 */
import * as ort from 'onnxruntime-web/wasm'
import loaderUrl from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url'
import runtimeUrl from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url'
import sfaceUrl from '../../../src/veilface/face/models/sface.onnx?url'
import yunetUrl from '../../../src/veilface/face/models/yunet.onnx?url'
import { CONTRACT } from '../contract'
import { Detector } from './detector'
import { downloadAll } from './download'
import { FaceError } from './errors'
import { FacePipeline } from './pipeline'
import { SIZES } from './sizes'

const MOST_THREADS = 4
const CROP = [1, 3, 112, 112] as const

/** Downloads runtime and models, and opens them. `onProgress` hears of bytes. */
export async function openPipeline(onProgress: (loaded: number, total: number) => void): Promise<FacePipeline> {
  const [runtime, yunet, sface] = await downloadAll(
    [
      { url: runtimeUrl, size: SIZES.runtime },
      { url: yunetUrl, size: SIZES.yunet },
      { url: sfaceUrl, size: SIZES.sface },
    ],
    onProgress,
  )
  if (!runtime || !yunet || !sface) throw new FaceError('face.failed')
  await Promise.all([requireSha256(yunet, CONTRACT.detector_sha256), requireSha256(sface, CONTRACT.embedder_sha256)])
  ort.env.wasm.wasmPaths = { mjs: loaderUrl }
  ort.env.wasm.wasmBinary = runtime.buffer
  ort.env.wasm.numThreads = crossOriginIsolated ? threads(navigator.hardwareConcurrency) : 1
  const detector = await openSession(yunet)
  const embedder = await openSession(sface)
  return new FacePipeline(
    new Detector(async (planes, rows, columns) => {
      const outputs = await detector.run({ input: new ort.Tensor('float32', planes, [1, 3, rows, columns]) })
      return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, numbersOf(tensor)]))
    }),
    async (planes) => {
      const { fc1 } = await embedder.run({ data: new ort.Tensor('float32', planes, CROP) })
      return numbersOf(fc1)
    },
  )
}

/** Half of the cores: threads that wait for each other on a busy machine are slower than one. */
function threads(cores: number): number {
  return Math.max(1, Math.min(MOST_THREADS, cores >> 1))
}

/** The 8-bit weights are unpacked once, at loading: that makes a run two to three times as fast. */
function openSession(model: Uint8Array<ArrayBuffer>): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(model, {
    executionProviders: ['wasm'],
    logSeverityLevel: 3,
    extra: { session: { disable_quant_qdq: '1' } },
  })
}

function numbersOf(tensor: ort.Tensor | undefined): Float32Array {
  if (!(tensor?.data instanceof Float32Array)) throw new FaceError('face.failed')
  return tensor.data
}

async function requireSha256(content: Uint8Array<ArrayBuffer>, expected: string): Promise<void> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', content))
  if (Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('') !== expected) {
    throw new FaceError('face.failed')
  }
}
