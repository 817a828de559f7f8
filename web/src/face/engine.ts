/** The page's side of the worker that looks at faces. */
import { FaceError } from './errors'
import type { Answer, FromWorker, ToWorker } from './messages'
import type { Detection, Face } from './types'
import FaceWorker from './face.worker?worker'

interface Waiting {
  readonly done: (answer: Answer) => void
  readonly failed: (error: FaceError) => void
  readonly progress?: (loaded: number, total: number) => void
}

/** Finds, judges and embeds faces in a worker of its own. Pictures given to it are closed. */
export class FaceEngine {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  #last = 0

  private constructor() {
    this.#worker = new FaceWorker()
    this.#worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      this.#hear(data)
    })
    this.#worker.addEventListener('error', () => {
      this.close()
    })
  }

  /** Downloads (25 MB before compression) and opens the models; `onProgress` hears of bytes. @throws FaceError */
  static async load(onProgress: (loaded: number, total: number) => void): Promise<FaceEngine> {
    const engine = new FaceEngine()
    try {
      await engine.#ask((id) => ({ kind: 'load', id }), [], onProgress)
    } catch (error) {
      engine.close()
      throw error
    }
    return engine
  }

  /** Faces without embeddings, quickly; problems are those that a camera should wait to see solved. */
  detect(image: ImageBitmap): Promise<Face[]> {
    return this.#faces((id) => ({ kind: 'detect', id, bitmap: image }), [image])
  }

  /** Faces with crops and embeddings, small ones too; problems are those for which a picture is refused. */
  analyse(image: ImageBitmap): Promise<Face[]> {
    return this.#faces((id) => ({ kind: 'analyse', id, bitmap: image }), [image])
  }

  /** Where faces are, at a glance: for following them from frame to frame. */
  async glance(image: ImageBitmap): Promise<readonly Detection[]> {
    const answer = await this.#ask((id) => ({ kind: 'glance', id, bitmap: image }), [image])
    return answer.kind === 'glanced' ? answer.seen : []
  }

  /** A face of the last frame that was glanced at: measured, and embedded where it has no problem. */
  async lookCloser(seen: Detection): Promise<Face | undefined> {
    return (await this.#faces((id) => ({ kind: 'closer', id, seen }), []))[0]
  }

  /** Stops the worker; whatever is under way fails with `face.failed`. */
  close(): void {
    this.#worker.terminate()
    for (const { failed } of this.#waiting.values()) failed(new FaceError('face.failed'))
    this.#waiting.clear()
  }

  async #faces(message: (id: number) => ToWorker, transfer: Transferable[]): Promise<Face[]> {
    const answer = await this.#ask(message, transfer)
    return answer.kind === 'faces' ? [...answer.faces] : []
  }

  #ask(
    message: (id: number) => ToWorker,
    transfer: Transferable[],
    progress?: (loaded: number, total: number) => void,
  ): Promise<Answer> {
    this.#last += 1
    const id = this.#last
    return new Promise((done, failed) => {
      this.#waiting.set(id, { done, failed, ...(progress && { progress }) })
      this.#worker.postMessage(message(id), transfer)
    })
  }

  #hear(message: FromWorker): void {
    const waiting = this.#waiting.get(message.id)
    if (!waiting) return
    if (message.kind === 'progress') {
      waiting.progress?.(message.loaded, message.total)
      return
    }
    this.#waiting.delete(message.id)
    if (message.kind === 'failed') waiting.failed(new FaceError(message.code, message.details))
    else waiting.done(message)
  }
}
