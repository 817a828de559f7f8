/** Looks at faces away from the page, so that the page keeps moving. Speaks the messages of `messages.ts`. */
import { FaceError } from './errors'
import type { FromWorker, ToWorker } from './messages'
import type { FacePipeline } from './pipeline'
import { ACCEPTABLE, COMFORTABLE } from './quality'
import { openPipeline } from './runtime'

let pipeline: FacePipeline | undefined
let queue: Promise<void> = Promise.resolve()

function answer(message: FromWorker): void {
  self.postMessage(message)
}

async function looked(
  opened: FacePipeline,
  { kind, id, bitmap }: Extract<ToWorker, { bitmap: ImageBitmap }>,
): Promise<FromWorker> {
  if (kind === 'glance') return { kind: 'glanced', id, seen: await opened.glance(bitmap) }
  const thorough = kind === 'analyse'
  const limits = thorough ? ACCEPTABLE : COMFORTABLE
  return { kind: 'faces', id, faces: await opened.faces(bitmap, { thorough, limits }) }
}

async function handle(message: ToWorker): Promise<void> {
  const { id } = message
  try {
    if (message.kind === 'load') {
      pipeline ??= await openPipeline((loaded, total) => {
        answer({ kind: 'progress', id, loaded, total })
      })
      answer({ kind: 'ready', id })
      return
    }
    if (!pipeline) throw new FaceError('face.failed')
    if (message.kind === 'closer') {
      const face = await pipeline.lookCloser(message.seen)
      answer({ kind: 'faces', id, faces: face ? [face] : [] })
      return
    }
    try {
      answer(await looked(pipeline, message))
    } finally {
      message.bitmap.close()
    }
  } catch (error) {
    const known = error instanceof FaceError ? error : new FaceError('face.failed')
    answer({ kind: 'failed', id, code: known.code, details: known.details })
  }
}

// One at a time: a session cannot run twice at once.
self.addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  queue = queue.then(() => handle(data))
})
