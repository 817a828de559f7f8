import { onBeforeUnmount, ref, shallowRef, watch, type Ref } from 'vue'
import { grabWhole } from '@/components/camera/frame'
import { startLoop } from '@/components/camera/loop'
import { ApiError } from '@/api'
import type { Box, Detection, FaceEngine, ProblemCode } from '@/face'
import { Attention, worth, type Outcome, type Question } from '@/face/attention'
import { Tracker, type Track } from '@/face/tracker'
import type { Desk } from '@/kiosk/desk'
import { FrameRate, type Stage, type StageTimes } from './stages'

/** Looks begin at most this often: about 25 frames a second. */
const EVERY_MS = 40
/** Searches under way: while the server works on one, the next is encrypted here or keeps a second core busy there. */
const AT_ONCE = 2
/** The token is refused: this browser is no kiosk any more. */
const UNAUTHORIZED = 401
const OUTCOMES = { found: 'named', nobody: 'unknown', ambiguous: 'unclear' } as const

/** One face on the screen; `box` in shares of the frame. */
export interface Seen {
  readonly track: number
  readonly box: Box
  readonly outcome: Outcome | null
  readonly name: string | null
  /** What to change so that it can be measured. */
  readonly problem: ProblemCode | null
}

interface Watching {
  readonly video: Readonly<Ref<HTMLVideoElement | null>>
  readonly engine: Readonly<Ref<FaceEngine | null>>
  readonly desk: Readonly<Ref<Desk | null>>
  /** True while frames arrive. */
  readonly live: () => boolean
  readonly failed: (error: unknown) => void
}

/** Follows everybody before the camera, looks closer at whoever needs it, and asks the gallery for names. */
export function useWatch({ video, engine, desk, live, failed }: Watching) {
  const seen = shallowRef<readonly Seen[]>([])
  const fps = ref(0)
  const times = shallowRef<StageTimes>({})
  /** Why the last search had no answer. */
  const trouble = shallowRef<unknown>(null)
  let [tracker, attention, rate] = [new Tracker(), new Attention(), new FrameRate()]
  /** Of those alone whom a track is named as. */
  const names = new Map<string, string>()
  const problems = new Map<number, ProblemCode>()
  let asking: readonly Promise<void>[] = Array.from({ length: AT_ONCE }, () => Promise.resolve())
  let stop: (() => void) | null = null

  async function look(): Promise<void> {
    const [element, ready] = [video.value, engine.value]
    if (!element || !ready || element.videoWidth === 0) return
    const lap = stopwatch()
    const bitmap = await grabWhole(element)
    const { width, height } = bitmap
    const now = performance.now() / 1000
    lap('read')
    const found = await ready.glance(bitmap)
    lap('detect')
    const tracks = tracker.update(found.map(({ box }) => box), width, height, now)
    attention.follow(tracks)
    lap('track')
    const [wanted] = attention.wanted(tracks, now)
    if (wanted) {
      await lookCloser(ready, wanted, found, now)
      lap('embed')
    }
    for (const question of attention.questions(now)) ask(question)
    seen.value = tracks.filter(({ sight }) => sight !== null).map(shown)
    fps.value = rate.frame(performance.now())
  }

  async function lookCloser(ready: FaceEngine, { id, sight }: Track, found: readonly Detection[], now: number): Promise<void> {
    const detection = found[sight ?? -1]
    const face = detection && (await ready.lookCloser(detection))
    if (face?.embedding) {
      problems.delete(id)
      attention.took(id, { embedding: face.embedding, worth: worth(face.quality), takenAt: now })
    } else {
      problems.set(id, face?.quality.problems[0] ?? 'no_face')
      attention.refused(id, now)
    }
  }

  /** Two searches at once, the others after them. */
  function ask(question: Question): void {
    const [first = Promise.resolve(), ...others] = asking
    const asked = attention
    asking = [...others, first.then(() => search(question, asked))]
  }

  /** Whatever is asked is answered, if only by `unanswered`. */
  async function search({ track, embedding }: Question, asked: Attention): Promise<void> {
    try {
      if (!desk.value) throw new Error('no desk')
      const { found, timings } = await desk.value.search(embedding)
      const outcome = found.outcome === 'found' && found.people.length !== 1 ? 'unclear' : OUTCOMES[found.outcome]
      const person = outcome === 'named' ? (found.people[0] ?? null) : null
      if (person) names.set(person.id, person.name)
      asked.answered(track, outcome, performance.now() / 1000, person?.id ?? null)
      times.value = { ...times.value, ...timings }
      trouble.value = null
    } catch (error) {
      asked.answered(track, 'unanswered', performance.now() / 1000)
      trouble.value = error
      if (error instanceof ApiError && error.status === UNAUTHORIZED) names.clear()
    }
    forgetNames()
  }

  /** Whoever is named no longer has no name here either. */
  function forgetNames(): void {
    const named = attention.people()
    for (const person of [...names.keys()]) if (!named.has(person)) names.delete(person)
  }

  function shown({ id, box }: Track): Seen {
    const { outcome: told, person } = attention.standing(id)
    const name = person === null ? null : (names.get(person) ?? null)
    const outcome = person !== null && name === null ? 'unanswered' : told
    return { track: id, box, outcome, name, problem: outcome === null ? (problems.get(id) ?? null) : null }
  }

  /** Notes how long each stage of this frame took. */
  function stopwatch(): (stage: Stage) => void {
    let last = performance.now()
    return (stage) => {
      const now = performance.now()
      times.value = { ...times.value, [stage]: now - last }
      last = now
    }
  }

  function end(): void {
    stop?.()
    stop = null
    seen.value = []
  }

  watch(
    desk,
    (ready) => {
      ready?.prepare().catch(() => undefined) // whatever is wrong meets the first search too, and is told then
    },
    { immediate: true },
  )
  watch(
    () => live() && engine.value !== null,
    (ready) => {
      end()
      if (!ready) return
      ;[tracker, attention, rate] = [new Tracker(), new Attention(), new FrameRate()]
      problems.clear()
      stop = startLoop(look, failed, EVERY_MS)
    },
    { immediate: true },
  )
  onBeforeUnmount(end)

  return {
    seen,
    fps,
    times,
    trouble,
    /** People were registered, renamed or removed: everybody is asked about anew. */
    again: () => {
      attention.again()
    },
  }
}
