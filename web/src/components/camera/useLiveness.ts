import { onBeforeUnmount, ref, watch, type Ref } from 'vue'
import type { LivenessMovement } from '@/api'
import { likeness, type Face, type FaceEngine } from '@/face'
import { LivenessCheck, type Action, type LivenessFailure, type LivenessStage, type Progress, type Sight } from '@/face/liveness'
import { attackDetector } from '@/device/attackDetector'
import { livenessBytes, sha256 } from '@/protect'
import { grab } from './frame'
import { startLoop } from './loop'
import { makeShot, NoShot, type Shot } from './shot'

type Bytes = Uint8Array<ArrayBuffer>

/** Movements are followed more closely than a pose is aimed at. */
const LOOK_EVERY_MS = 50
const NONCE_BYTES = 32
/** Cosine below which two frames of one check show two people: strangers are that alike once in a thousand. */
const SAME_PERSON = 0.3
const MOST_TRIES = 3

export type CheckFailure = LivenessFailure | 'another_face' | 'not_live' | 'unclear'

interface Following {
  readonly video: Readonly<Ref<HTMLVideoElement | null>>
  readonly engine: Readonly<Ref<FaceEngine | null>>
  /** The movements; null until they are known. */
  readonly plan: () => readonly LivenessMovement[] | null
  readonly live: () => boolean
  readonly passed: (shot: Shot) => void
  readonly broken: (error: unknown) => void
}

/** Follows a face through the movements of a plan, and hands over the last shot with the signed-to-be record. */
export function useLiveness({ video, engine, plan, live, passed, broken }: Following) {
  const stage = ref<LivenessStage>('steady')
  const action = ref<Action | null>(null)
  const share = ref(0)
  const failure = ref<CheckFailure | null>(null)
  let check = new LivenessCheck([])
  let kept: Face[] = []
  /** Time spent on measuring kept frames does not count: a slow phone is no missing face. */
  let paused = 0
  let tries = 0
  let stop: (() => void) | null = null

  async function look(): Promise<void> {
    const [element, ready] = [video.value, engine.value]
    if (!element || !ready || element.videoWidth === 0) return
    const frame = await grab(element, 'aim')
    const size = { width: frame.width, height: frame.height }
    const now = performance.now() - paused
    const seen = check.see(sightOf(await ready.detect(frame), size, now / 1000))
    show(seen)
    if (seen.stage === 'failed') giveUp(seen.failure ?? 'lost')
    else if (seen.stage === 'passed') await finish(element, ready)
    else if (seen.keep) await aside(async () => { await keep(element, ready) })
  }

  async function keep(element: HTMLVideoElement, ready: FaceEngine): Promise<void> {
    const [face, ...others] = await ready.analyse(await grab(element, 'shot'))
    if (face?.embedding && others.length === 0) kept.push(face)
  }

  /** The last frame is the shot; a blurred one may be taken again. */
  async function finish(element: HTMLVideoElement, ready: FaceEngine): Promise<void> {
    try {
      const shot = await makeShot(ready, await grab(element, 'shot'))
      const told = await judged(shot)
      if (told) giveUp(told)
      else {
        end()
        passed({ ...shot, liveness: await record(shot) })
      }
    } catch (error) {
      if (!(error instanceof NoShot)) throw error
      tries += 1
      if (tries >= MOST_TRIES) giveUp('unclear')
    }
  }

  async function judged(shot: Shot): Promise<CheckFailure | null> {
    const alike = kept.every(({ embedding }) => embedding && likeness(embedding, shot.embedding) >= SAME_PERSON)
    if (!alike || kept.length < 2 * check.steps.length) return 'another_face'
    const crops = [...kept.flatMap(({ crop }) => (crop ? [crop] : [])), shot.crop]
    return (await attackDetector()?.looksLive(crops)) === false ? 'not_live' : null
  }

  async function record(shot: Shot): Promise<Bytes> {
    const embeddings = [...kept.flatMap(({ embedding }) => (embedding ? [embedding] : [])), shot.embedding]
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
    const all = new Blob([nonce, ...embeddings])
    return livenessBytes({
      steps: check.steps.map((step) => ({
        action: step.action,
        promptedMs: Math.round(step.promptedS * 1000),
        doneMs: Math.round(step.doneS * 1000),
        frames: step.frames,
      })),
      frames: check.frames,
      durationMs: Math.round(check.durationS * 1000),
      kept: embeddings.length,
      commitment: await sha256(new Uint8Array(await all.arrayBuffer())),
      detector: attackDetector() !== null,
    })
  }

  async function aside(work: () => Promise<void>): Promise<void> {
    const started = performance.now()
    await work()
    paused += performance.now() - started
  }

  function show(seen: Progress): void {
    stage.value = seen.stage
    action.value = seen.action
    share.value = seen.share
  }

  function giveUp(why: CheckFailure): void {
    failure.value = why
    stage.value = 'failed'
    end()
  }

  function begin(movements: readonly LivenessMovement[]): void {
    check = new LivenessCheck(movements.map((one) => ({ action: one.action, pauseS: one.pause_ms / 1000 })))
    kept = []
    paused = 0
    tries = 0
    failure.value = null
    show({ stage: 'steady', action: null, share: 0, keep: false, failure: null })
    stop = startLoop(look, broken, LOOK_EVERY_MS)
  }

  function end(): void {
    stop?.()
    stop = null
    for (const { embedding } of failure.value === null ? [] : kept) embedding?.fill(0)
  }

  watch(
    () => (live() && engine.value !== null ? plan() : null),
    (movements) => {
      end()
      if (movements?.length) begin(movements)
    },
    { immediate: true },
  )
  onBeforeUnmount(end)

  return { stage, action, share, failure }
}

function sightOf(faces: readonly Face[], size: { width: number; height: number }, at: number): Sight {
  const [face] = faces
  const [x, y, width, height] = face?.box ?? [0, 0, 0, 0]
  return {
    at,
    faces: faces.length,
    box: [x / size.width, y / size.height, width / size.width, height / size.height],
    yaw: face?.quality.yaw ?? 0,
    pitch: face?.quality.pitch ?? 0,
  }
}
