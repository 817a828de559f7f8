/** Sees where faces are, frame by frame, whatever a `FaceEngine` is busy with. */
import { FaceError } from './errors'
import { Line } from './line'
import type { Detection } from './types'

export interface Glance {
  /** Where faces are: good enough to follow them, not to measure them. */
  readonly seen: readonly Detection[]
  /** The frame, which whoever asked closes. */
  readonly image: ImageBitmap
}

/** Works in a worker of its own, with the detector alone. */
export class Glancer {
  readonly #line: Line

  private constructor(line: Line) {
    this.#line = line
  }

  /** Downloads what a `FaceEngine` has in the browser's cache, and opens the detector. @throws FaceError */
  static async load(): Promise<Glancer> {
    return new Glancer(await Line.open('detector'))
  }

  /** Takes the frame, and gives it back with what is in it. @throws FaceError */
  async glance(frame: ImageBitmap): Promise<Glance> {
    const answer = await this.#line.ask((id) => ({ kind: 'glance', id, bitmap: frame }), [frame])
    if (answer.kind !== 'glanced') throw new FaceError('face.failed')
    return { seen: answer.seen, image: answer.bitmap }
  }

  /** Stops the worker; whatever is under way fails with `face.failed`. */
  close(): void {
    this.#line.close()
  }
}
