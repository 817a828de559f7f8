/** What this device says of a liveness check: 80 bytes that follow the probe (src/veilface/protect/liveness.py). */
import type { Bytes } from './bytes'
import { exactly, malformed, Writer } from './layout'

const LIVENESS_BYTES = 80
const HASH_BYTES = 32
const VERSION = 1
const MOST_STEPS = 4
const LARGEST_BYTE = 255
const LARGEST_SHORT = 65_535
const ACTIONS: readonly string[] = ['turn_left', 'turn_right', 'nod', 'come_closer']

/** One movement: when it was asked for and when it was done, in ms since the first frame, and in how many frames. */
export interface MovementShown {
  readonly action: string
  readonly promptedMs: number
  readonly doneMs: number
  readonly frames: number
}

export interface LivenessRecord {
  readonly steps: readonly MovementShown[]
  readonly frames: number
  readonly durationMs: number
  /** How many frames' embeddings the commitment is to. */
  readonly kept: number
  /** SHA-256 of 32 random bytes and the kept embeddings. */
  readonly commitment: Bytes
  /** Whether a presentation-attack model was plugged in and judged the face live. */
  readonly detector: boolean
}

/** The 80 bytes. Frames beyond what fits are not counted. @throws ProtectError malformed_envelope */
export function livenessBytes(record: LivenessRecord): Bytes {
  if (record.steps.length < 1 || record.steps.length > MOST_STEPS) {
    throw malformed('steps', record.steps.length, `1 to ${MOST_STEPS}`)
  }
  exactly(record.commitment, HASH_BYTES, 'commitment')
  const writer = new Writer(LIVENESS_BYTES)
    .text('VFLV')
    .unsigned(VERSION, 1, 'version')
    .unsigned(record.steps.length, 1, 'steps')
    .unsigned(record.kept, 1, 'kept')
    .unsigned(record.detector ? 1 : 0, 1, 'detector')
    .unsigned(Math.min(record.frames, LARGEST_SHORT), 2, 'frames')
    .unsigned(0, 2, 'zero')
    .unsigned(record.durationMs, 4, 'duration_ms')
    .bytes(record.commitment, HASH_BYTES, 'commitment')
  for (let index = 0; index < MOST_STEPS; index++) writeStep(writer, record.steps[index])
  return writer.done()
}

function writeStep(writer: Writer, step: MovementShown | undefined): void {
  const action = step ? ACTIONS.indexOf(step.action) + 1 : 0
  if (step && action === 0) throw malformed('action', step.action, ACTIONS.join(', '))
  writer
    .unsigned(action, 1, 'action')
    .unsigned(Math.min(step?.frames ?? 0, LARGEST_BYTE), 1, 'frames')
    .unsigned(step?.promptedMs ?? 0, 2, 'prompted_ms')
    .unsigned(step?.doneMs ?? 0, 2, 'done_ms')
    .unsigned(0, 2, 'zero')
}
