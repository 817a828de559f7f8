/** What the parity test calls: the site's own engine, with results as plain JSON. */
import { decodePicture, type Face, FaceEngine, FaceError } from '../../src/face'

interface Look {
  readonly error?: string
  readonly faces?: readonly unknown[]
  readonly milliseconds?: number
}

interface ParityPage {
  /** Opens the engine; the last progress heard of. */
  load: () => Promise<{ loaded: number; total: number; isolated: boolean; milliseconds: number }>
  look: (url: string, kind: 'detect' | 'analyse') => Promise<Look>
}

let engine: FaceEngine | undefined

function plain({ embedding, crop, ...face }: Face): unknown {
  return { ...face, embedding: embedding && [...embedding], crop: crop && [...crop.data] }
}

const page: ParityPage = {
  async load() {
    const started = performance.now()
    let [loaded, total] = [0, 0]
    engine = await FaceEngine.load((now, all) => {
      loaded = now
      total = all
    })
    return { loaded, total, isolated: crossOriginIsolated, milliseconds: performance.now() - started }
  },

  async look(url, kind) {
    if (!engine) throw new Error('not loaded')
    try {
      const response = await fetch(url)
      const bitmap = await decodePicture(await response.blob())
      const started = performance.now()
      const faces = await engine[kind](bitmap)
      return { faces: faces.map(plain), milliseconds: performance.now() - started }
    } catch (error) {
      return { error: error instanceof FaceError ? error.code : String(error) }
    }
  },
}

Object.assign(window, { page })
