import type { Bytes } from './bytes'
import { ProtectError } from './errors'
import type { Reply, Request } from './seal.worker'

interface Waiting {
  readonly resolve: (ciphertext: Bytes) => void
  readonly reject: (error: ProtectError) => void
}

/** Protects embeddings in a thread of its own; loaded once, used many times. */
export class Protector {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  #next = 0

  private constructor(worker: Worker) {
    this.#worker = worker
    worker.onmessage = ({ data }: MessageEvent<Reply>) => {
      this.#settle(data)
    }
    worker.onerror = (event) => {
      this.#failAll(event.message)
    }
  }

  /** @throws ProtectError engine_failed where SEAL cannot be loaded or started */
  static load(): Promise<Protector> {
    const worker = new Worker(new URL('./seal.worker.ts', import.meta.url), { type: 'module' })
    return new Promise((resolve, reject) => {
      const fail = (message: string): void => {
        worker.terminate()
        reject(new ProtectError('engine_failed', { got: message }))
      }
      worker.onmessage = ({ data }: MessageEvent<Reply>) => {
        if (data.kind === 'ready') resolve(new Protector(worker))
        else fail(data.kind === 'failed' ? data.message : data.kind)
      }
      worker.onerror = (event) => {
        fail(event.message)
      }
    })
  }

  /**
   * Encrypts a template.
   * @param embedding 128 unit components; copied, the caller wipes its own
   * @param publicKey the account's certified key, 98,304 bytes
   * @returns 73,728 bytes
   * @throws ProtectError unusable_embedding, malformed_ciphertext, engine_failed
   */
  protectTemplate(embedding: Float32Array, publicKey: Bytes): Promise<Bytes> {
    return this.#ask('template', embedding, publicKey)
  }

  /** Encrypts a probe; as `protectTemplate`, for one comparison. */
  protectProbe(embedding: Float32Array, publicKey: Bytes): Promise<Bytes> {
    return this.#ask('probe', embedding, publicKey)
  }

  /** Ends the thread; what was under way is rejected. */
  close(): void {
    this.#worker.terminate()
    this.#failAll('closed')
  }

  #ask(kind: Request['kind'], embedding: Float32Array, publicKey: Bytes): Promise<Bytes> {
    const id = this.#next++
    const copy = embedding.slice()
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#worker.postMessage({ id, kind, embedding: copy, publicKey } satisfies Request, [copy.buffer])
    })
  }

  #settle(reply: Reply): void {
    if (reply.kind === 'ready' || reply.id === undefined) return
    const waiting = this.#waiting.get(reply.id)
    this.#waiting.delete(reply.id)
    if (reply.kind === 'protected') waiting?.resolve(reply.ciphertext)
    else waiting?.reject(new ProtectError(reply.code, { got: reply.message }))
  }

  #failAll(message: string): void {
    for (const { reject } of this.#waiting.values()) reject(new ProtectError('engine_failed', { got: message }))
    this.#waiting.clear()
  }
}
