import type { Bytes } from './bytes'
import { ProtectError } from './errors'
import type { Reply, Request } from './protect.worker'
import type { SchemeName } from './suites'

/** What an embedding is protected with. */
export interface Protection {
  readonly scheme: SchemeName
  /** The epoch's certified key: `keyBytes` of the scheme. */
  readonly key: Bytes
  /** This enrolment's secret of a keyed scheme; copied, the caller wipes its own. Empty where there is none. */
  readonly token: Bytes
}

interface Waiting {
  readonly resolve: (bytes: Bytes) => void
  readonly reject: (error: ProtectError) => void
}

const NOTHING: Bytes = new Uint8Array()

/** Protects embeddings in a thread of its own; started once, used many times, for whatever scheme. */
export class Protector {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  #next = 0
  #closed: ProtectError | null = null

  private constructor(worker: Worker) {
    this.#worker = worker
    worker.onmessage = ({ data }: MessageEvent<Reply>) => {
      this.#settle(data)
    }
    worker.onerror = (event) => {
      this.close(event.message)
    }
  }

  /** Starts the thread and loads what `scheme` needs. @throws ProtectError engine_failed, and the thread is gone */
  static async load(scheme: SchemeName): Promise<Protector> {
    const protector = new Protector(new Worker(new URL('./protect.worker.ts', import.meta.url), { type: 'module' }))
    try {
      await protector.prepare(scheme)
      return protector
    } catch (error) {
      protector.close()
      throw error
    }
  }

  /** Loads what a further scheme needs, so that nobody waits later. @throws ProtectError engine_failed */
  async prepare(scheme: SchemeName): Promise<void> {
    await this.#ask('prepare', new Float32Array(), { scheme, key: NOTHING, token: NOTHING })
  }

  /**
   * Makes a template.
   * @param embedding 128 unit components; copied, the caller wipes its own
   * @returns `templateBytes` of the scheme
   * @throws ProtectError unusable_embedding, unusable_token, malformed_ciphertext, engine_failed
   */
  protectTemplate(embedding: Float32Array, protection: Protection): Promise<Bytes> {
    return this.#ask('template', embedding, protection)
  }

  /** Makes a probe, `probeBytes` of the scheme; as `protectTemplate`, for one comparison. */
  protectProbe(embedding: Float32Array, protection: Protection): Promise<Bytes> {
    return this.#ask('probe', embedding, protection)
  }

  /** Ends the thread; what is under way is rejected, and whatever is asked later. */
  close(reason = 'closed'): void {
    const closed = new ProtectError('engine_failed', { got: reason })
    this.#closed = closed
    this.#worker.terminate()
    for (const { reject } of this.#waiting.values()) reject(closed)
    this.#waiting.clear()
  }

  #ask(kind: Request['kind'], embedding: Float32Array, { scheme, key, token }: Protection): Promise<Bytes> {
    if (this.#closed) return Promise.reject(this.#closed)
    const id = this.#next++
    const own = { embedding: embedding.slice(), token: token.slice() }
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      const request: Request = { id, kind, scheme, key, ...own }
      this.#worker.postMessage(request, [own.embedding.buffer, own.token.buffer])
    })
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id)
    this.#waiting.delete(reply.id)
    if (reply.kind === 'protected') waiting?.resolve(reply.bytes)
    else waiting?.reject(new ProtectError(reply.code, { got: reply.message }))
  }
}
