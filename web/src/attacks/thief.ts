import type { Reply, Request } from './breach.worker'
import type { Leak, Outcome, Step } from './trial'

export interface Witness {
  onStep: (step: Step) => void
  onOutcome: (outcome: Outcome) => void
}

/** Robs a face in a thread of its own, one leak at a time. */
export class Thief {
  readonly #worker = new Worker(new URL('./breach.worker.ts', import.meta.url), { type: 'module' })
  #giveUp: (error: Error) => void = () => undefined

  /**
   * Runs every attack of `leak` on every protection of `face` (128 unit components; copied, the caller wipes its own).
   * @throws Error where the thread or SEAL cannot be started, or the thief was closed meanwhile
   */
  rob(face: Float32Array, leak: Leak, { onStep, onOutcome }: Witness): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#giveUp = reject
      this.#worker.onmessage = ({ data }: MessageEvent<Reply>) => {
        if (data.kind === 'step') onStep(data.step)
        else if (data.kind === 'outcome') onOutcome(data.outcome)
        else if (data.kind === 'done') resolve()
        else reject(new Error(data.message))
      }
      this.#worker.onerror = (event) => {
        reject(new Error(event.message))
      }
      const copy = face.slice()
      this.#worker.postMessage({ face: copy, leak } satisfies Request, [copy.buffer])
    })
  }

  /** Ends the thread. */
  close(): void {
    this.#worker.terminate()
    this.#giveUp(new Error('closed'))
  }
}
