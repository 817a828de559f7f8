/** Finds, judges and embeds the faces in pictures. */
import type { Progress } from './download'
import { Line } from './line'
import type { ToWorker } from './messages'
import type { Detection, Face } from './types'

/** Works in a worker of its own, one picture after another. Pictures given to it are closed. */
export class FaceEngine {
  readonly #line: Line

  private constructor(line: Line) {
    this.#line = line
  }

  /** Downloads (25 MB before compression) and opens the models; `onProgress` hears of bytes. @throws FaceError */
  static async load(onProgress: Progress): Promise<FaceEngine> {
    return new FaceEngine(await Line.open(null, onProgress))
  }

  /** Faces without embeddings, quickly; problems are those that a camera should wait to see solved. */
  detect(image: ImageBitmap): Promise<Face[]> {
    return this.#faces((id) => ({ kind: 'detect', id, bitmap: image }), image)
  }

  /** Faces with crops and embeddings, small ones too; problems are those for which a picture is refused. */
  analyse(image: ImageBitmap): Promise<Face[]> {
    return this.#faces((id) => ({ kind: 'analyse', id, bitmap: image }), image)
  }

  /** A face that was glanced at in this frame: measured, and embedded where it has no problem. */
  async lookCloser(image: ImageBitmap, seen: Detection): Promise<Face | undefined> {
    return (await this.#faces((id) => ({ kind: 'closer', id, bitmap: image, seen }), image))[0]
  }

  /** Stops the worker; whatever is under way fails with `face.failed`. */
  close(): void {
    this.#line.close()
  }

  async #faces(message: (id: number) => ToWorker, image: ImageBitmap): Promise<Face[]> {
    const answer = await this.#line.ask(message, [image])
    return answer.kind === 'faces' ? [...answer.faces] : []
  }
}
