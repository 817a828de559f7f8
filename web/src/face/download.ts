/** Fetching several files at once, with one count of bytes over all of them. */
import { FaceError } from './errors'

/** Hears of bytes. */
export type Progress = (loaded: number, total: number) => void

export interface Download {
  readonly url: string
  /** Size in bytes, known from the build: the server may compress, and then states another length. */
  readonly size: number
}

/** The files' contents, in order. @throws FaceError when one cannot be had */
export async function downloadAll(
  downloads: readonly Download[],
  onProgress: Progress,
): Promise<Uint8Array<ArrayBuffer>[]> {
  const total = downloads.reduce((sum, { size }) => sum + size, 0)
  let loaded = 0
  onProgress(0, total)
  return Promise.all(
    downloads.map(async ({ url, size }) => {
      const response = await fetch(url)
      if (!response.ok || !response.body) throw new FaceError('face.failed', { status: response.status })
      const content = new Uint8Array(size)
      let at = 0
      for await (const chunk of streamOf(response.body)) {
        if (at + chunk.length > size) throw new FaceError('face.failed', { got: at + chunk.length, expected: size })
        content.set(chunk, at)
        at += chunk.length
        loaded += chunk.length
        onProgress(loaded, total)
      }
      if (at !== size) throw new FaceError('face.failed', { got: at, expected: size })
      return content
    }),
  )
}

/** Chunks of a stream; Safari cannot iterate over one directly. */
async function* streamOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    yield value
  }
}
