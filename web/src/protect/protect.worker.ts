/** The protecting half of `Protector`: the embedding, the token and SEAL stay in this thread. */
import wasmUrl from '../../node_modules/node-seal/dist/seal_throws.wasm?url'
import type { Bytes } from './bytes'
import { ProtectError, type ProtectErrorCode } from './errors'
import { addMessage, encodeProbe, encodeTemplate } from './homomorphic'
import { KEYED } from './keyed'
import type { SchemeName } from './suites'
import type { ZeroMaker } from './zeros'

export interface Request {
  readonly id: number
  /** `prepare` loads what the scheme needs and protects nothing. */
  readonly kind: 'prepare' | 'template' | 'probe'
  readonly scheme: SchemeName
  /** 128 unit components and the token: this thread's own copies, wiped when done. */
  readonly embedding: Float32Array
  readonly token: Bytes
  readonly key: Bytes
}

export type Reply =
  | { readonly kind: 'protected'; readonly id: number; readonly bytes: Bytes }
  | { readonly kind: 'failed'; readonly id: number; readonly code: ProtectErrorCode; readonly message: string }

const ENCODE = { template: encodeTemplate, probe: encodeProbe }
let loading: Promise<ZeroMaker> | undefined

self.onmessage = ({ data }: MessageEvent<Request>) => {
  void answer(data).then((reply) => {
    self.postMessage(reply, { transfer: reply.kind === 'protected' ? [reply.bytes.buffer] : [] })
  })
}

async function answer(request: Request): Promise<Reply> {
  const { id, embedding, token } = request
  try {
    return { kind: 'protected', id, bytes: await protect(request) }
  } catch (error) {
    const message = error instanceof Error ? error.message : 'unknown'
    return { kind: 'failed', id, code: error instanceof ProtectError ? error.code : 'engine_failed', message }
  } finally {
    embedding.fill(0)
    token.fill(0)
  }
}

async function protect({ kind, scheme, embedding, key, token }: Request): Promise<Bytes> {
  if (scheme !== 'homomorphic')
    return kind === 'prepare' ? new Uint8Array() : KEYED[scheme][kind](embedding, { key, token })
  const zeros = await seal()
  if (kind === 'prepare') return new Uint8Array()
  const coefficients = ENCODE[kind](embedding)
  const ciphertext = addMessage(zeros.encryptZero(key), coefficients)
  coefficients.fill(0)
  return ciphertext
}

/** SEAL, once a protection needs it; where it could not be loaded, the next request tries again. */
async function seal(): Promise<ZeroMaker> {
  loading ??= import('./zeros').then(({ ZeroMaker }) => ZeroMaker.load(wasmUrl))
  try {
    return await loading
  } catch (error) {
    loading = undefined
    throw error
  }
}
