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
import { downloadAll, type Progress } from './download'
import { FaceError } from './errors'
import { FacePipeline, Glances } from './pipeline'
import { SIZES } from './sizes'

const MOST_THREADS = 4
const CROP = [1, 3, 112, 112] as const
const RUNTIME = { url: runtimeUrl, size: SIZES.runtime }
const YUNET = { url: yunetUrl, size: SIZES.yunet }
const SFACE = { url: sfaceUrl, size: SIZES.sface }

/** Downloads the runtime and both models, and opens them. `onProgress` hears of bytes. */
export async function openPipeline(onProgress: Progress): Promise<FacePipeline> {
  const [runtime, yunet, sface] = await downloadAll([RUNTIME, YUNET, SFACE], onProgress)
  if (!runtime || !yunet || !sface) throw new FaceError('face.failed')
  await Promise.all([requireSha256(yunet, CONTRACT.detector_sha256), requireSha256(sface, CONTRACT.embedder_sha256)])
  start(runtime)
  const detector = await detectorOf(yunet)
  const embedder = await openSession(sface)
  return new FacePipeline(detector, async (planes) => {
    const { fc1 } = await embedder.run({ data: new ort.Tensor('float32', planes, CROP) })
    return numbersOf(fc1)
  })
}

/** Downloads the runtime and the detector alone, and opens it. */
export async function openGlances(onProgress: Progress): Promise<Glances> {
  const [runtime, yunet] = await downloadAll([RUNTIME, YUNET], onProgress)
  if (!runtime || !yunet) throw new FaceError('face.failed')
  await requireSha256(yunet, CONTRACT.detector_sha256)
  start(runtime)
  return new Glances(await detectorOf(yunet))
}

function start(runtime: Uint8Array<ArrayBuffer>): void {
  ort.env.wasm.wasmPaths = { mjs: loaderUrl }
  ort.env.wasm.wasmBinary = runtime.buffer
  ort.env.wasm.numThreads = crossOriginIsolated ? threads(navigator.hardwareConcurrency) : 1
}

async function detectorOf(yunet: Uint8Array<ArrayBuffer>): Promise<Detector> {
  const session = await openSession(yunet)
  return new Detector(async (planes, rows, columns) => {
    const outputs = await session.run({ input: new ort.Tensor('float32', planes, [1, 3, rows, columns]) })
    return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, numbersOf(tensor)]))
  })
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
