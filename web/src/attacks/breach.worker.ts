/** The attacks, in a thread of their own: the page stays awake, and the face leaves it for nowhere else. */
import wasmUrl from '../../node_modules/node-seal/dist/seal_throws.wasm?url'
import { ZeroMaker } from '@/protect/zeros'
import { attack } from './campaign'
import { TARGETS, type Leak, type Outcome, type Step } from './trial'

export interface Request {
  /** 128 unit components; this thread's own copy, wiped when done. */
  readonly face: Float32Array
  readonly leak: Leak
}

export type Reply =
  | { readonly kind: 'step'; readonly step: Step }
  | { readonly kind: 'outcome'; readonly outcome: Outcome }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly message: string }

let loading: Promise<ZeroMaker> | undefined

self.onmessage = ({ data }: MessageEvent<Request>) => {
  void rob(data)
}

async function rob({ face, leak }: Request): Promise<void> {
  try {
    for (const target of TARGETS) {
      const outcome = await attack(target, face, leak, zeros, (step) => {
        reply({ kind: 'step', step })
      })
      reply({ kind: 'outcome', outcome })
    }
    reply({ kind: 'done' })
  } catch (error) {
    reply({ kind: 'failed', message: error instanceof Error ? error.message : 'unknown' })
  } finally {
    face.fill(0)
  }
}

function zeros(): Promise<ZeroMaker> {
  loading ??= ZeroMaker.load(wasmUrl)
  return loading
}

function reply(message: Reply): void {
  self.postMessage(message)
}
