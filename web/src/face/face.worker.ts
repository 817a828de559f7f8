/** Looks at faces away from the page, so that the page keeps moving. Speaks the messages of `messages.ts`. */
import { FaceError } from './errors'
import type { FromWorker, ToWorker } from './messages'
import type { FacePipeline, Glances } from './pipeline'
import { ACCEPTABLE, COMFORTABLE } from './quality'
import { openGlances, openPipeline } from './runtime'

type Look = Extract<ToWorker, { bitmap: ImageBitmap }>

/** A worker has one of the two. */
let glances: Glances | undefined
let pipeline: FacePipeline | undefined
let queue: Promise<void> = Promise.resolve()

function answer(message: FromWorker, transfer: Transferable[] = []): void {
  self.postMessage(message, { transfer })
}

async function load({ id, only }: Extract<ToWorker, { kind: 'load' }>): Promise<void> {
  const progress = (loaded: number, total: number): void => {
    answer({ kind: 'progress', id, loaded, total })
  }
  if (only) glances ??= await openGlances(progress)
  else pipeline ??= await openPipeline(progress)
  answer({ kind: 'ready', id })
}

/** The frame goes back with the answer. */
async function glanced({ id, bitmap }: Look): Promise<void> {
  if (!glances) throw new FaceError('face.failed')
  const seen = await glances.glance(bitmap)
  answer({ kind: 'glanced', id, seen, bitmap }, [bitmap])
}

async function looked(message: Exclude<Look, { kind: 'glance' }>): Promise<void> {
  if (!pipeline) throw new FaceError('face.failed')
  const { kind, id, bitmap } = message
  if (kind === 'closer') {
    const face = await pipeline.lookCloser(bitmap, message.seen)
    answer({ kind: 'faces', id, faces: face ? [face] : [] })
    return
  }
  const thorough = kind === 'analyse'
  const limits = thorough ? ACCEPTABLE : COMFORTABLE
  answer({ kind: 'faces', id, faces: await pipeline.faces(bitmap, { thorough, limits }) })
}

async function handle(message: ToWorker): Promise<void> {
  try {
    if (message.kind === 'load') await load(message)
    else if (message.kind === 'glance') await glanced(message)
    else await looked(message)
  } catch (error) {
    const known = error instanceof FaceError ? error : new FaceError('face.failed')
    answer({ kind: 'failed', id: message.id, code: known.code, details: known.details })
  } finally {
    // One that was given back is no longer here to be closed: then this does nothing.
    if (message.kind !== 'load') message.bitmap.close()
  }
}

// One at a time: a session cannot run twice at once.
self.addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  queue = queue.then(() => handle(data))
})
