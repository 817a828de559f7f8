/** The page's end of the line to a worker that looks at faces: requests out, answers and progress back. */
import type { Progress } from './download'
import { FaceError } from './errors'
import FaceWorker from './face.worker?worker'
import type { Answer, FromWorker, ToWorker } from './messages'

interface Waiting {
  readonly done: (answer: Answer) => void
  readonly failed: (error: FaceError) => void
  readonly progress?: Progress
}

/** A worker of its own, until it is closed. */
export class Line {
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

  /** Starts a worker and opens its models: the detector, or all. @throws FaceError */
  static async open(only: 'detector' | null, progress?: Progress): Promise<Line> {
    const line = new Line()
    try {
      await line.ask((id) => ({ kind: 'load', id, only }), [], progress)
    } catch (error) {
      line.close()
      throw error
    }
    return line
  }

  /** The answer to a message; what is in `transfer` is the worker's from then on. @throws FaceError */
  ask(message: (id: number) => ToWorker, transfer: Transferable[], progress?: Progress): Promise<Answer> {
    this.#last += 1
    const id = this.#last
    return new Promise((done, failed) => {
      this.#waiting.set(id, { done, failed, ...(progress && { progress }) })
      this.#worker.postMessage(message(id), transfer)
    })
  }

  /** Stops the worker; whatever is under way fails with `face.failed`. */
  close(): void {
    this.#worker.terminate()
    for (const { failed } of this.#waiting.values()) failed(new FaceError('face.failed'))
    this.#waiting.clear()
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
