/** The encrypting half of `Protector`: SEAL and the embedding stay in this thread. */
import wasmUrl from '../../node_modules/node-seal/dist/seal_throws.wasm?url'
import type { Bytes } from './bytes'
import { ProtectError, type ProtectErrorCode } from './errors'
import { addMessage, encodeProbe, encodeTemplate } from './homomorphic'
import { ZeroMaker } from './zeros'

export interface Request {
  readonly id: number
  readonly kind: 'template' | 'probe'
  /** 128 unit components; this thread's own copy, wiped when done. */
  readonly embedding: Float32Array
  readonly publicKey: Bytes
}

export type Reply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly id?: number; readonly code: ProtectErrorCode; readonly message: string }
  | { readonly kind: 'protected'; readonly id: number; readonly ciphertext: Bytes }

const ENCODE = { template: encodeTemplate, probe: encodeProbe }

async function start(): Promise<void> {
  const zeros = await ZeroMaker.load(wasmUrl)
  self.onmessage = ({ data }: MessageEvent<Request>) => {
    reply(answer(zeros, data))
  }
  reply({ kind: 'ready' })
}

function answer(zeros: ZeroMaker, { id, kind, embedding, publicKey }: Request): Reply {
  try {
    const coefficients = ENCODE[kind](embedding)
    const ciphertext = addMessage(zeros.encryptZero(publicKey), coefficients)
    coefficients.fill(0)
    return { kind: 'protected', id, ciphertext }
  } catch (error) {
    return { ...failure(error), id }
  } finally {
    embedding.fill(0)
  }
}

function failure(error: unknown): Reply & { kind: 'failed' } {
  const message = error instanceof Error ? error.message : 'unknown'
  return { kind: 'failed', code: error instanceof ProtectError ? error.code : 'engine_failed', message }
}

function reply(message: Reply): void {
  self.postMessage(message, { transfer: message.kind === 'protected' ? [message.ciphertext.buffer] : [] })
}

start().catch((error: unknown) => {
  reply(failure(error))
})
