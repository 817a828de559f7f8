import { onBeforeUnmount, ref, shallowRef, watch, type Ref } from 'vue'
import { grabWhole } from '@/components/camera/frame'
import { startLoop } from '@/components/camera/loop'
import { ApiError } from '@/api'
import type { Box, Detection, Face, FaceEngine, Glance, Glancer, ProblemCode } from '@/face'
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
  /** Sees where faces are, in every frame. */
  readonly glancer: Readonly<Ref<Glancer | null>>
  /** Looks closer at one face at a time; glances go on meanwhile. */
  readonly engine: Readonly<Ref<FaceEngine | null>>
  readonly desk: Readonly<Ref<Desk | null>>
  /** True while frames arrive. */
  readonly live: () => boolean
  readonly failed: (error: unknown) => void
}

/** Follows everybody before the camera, looks closer at whoever needs it, and asks the gallery for names. */
export function useWatch({ video, glancer, engine, desk, live, failed }: Watching) {
  const seen = shallowRef<readonly Seen[]>([])
  const fps = ref(0)
  const times = shallowRef<StageTimes>({})
  /** Why the last search had no answer. */
  const trouble = shallowRef<unknown>(null)
  let [tracker, attention, rate] = [new Tracker(), new Attention(), new FrameRate()]
  /** Of those alone whom a track is named as. */
  const names = new Map<string, string>()
  const problems = new Map<number, ProblemCode>()
  /** Whether somebody is looked at closely, be it still from before the camera was lost. */
  let looking = false
  let asking: readonly Promise<void>[] = Array.from({ length: AT_ONCE }, () => Promise.resolve())
  let stop: (() => void) | null = null

  async function look(): Promise<void> {
    const [element, ready, watched] = [video.value, glancer.value, attention]
    if (!element || !ready || element.videoWidth === 0) return
    const lap = stopwatch()
    const frame = await grabWhole(element)
    const now = performance.now() / 1000
    lap('read')
    if (watched !== attention) {
      frame.close()
      return
    }
    const glance = await ready.glance(frame)
    lap('detect')
    if (watched === attention) follow(glance, now)
    else glance.image.close()
    lap('track')
  }

  function follow({ seen: found, image }: Glance, now: number): void {
    const tracks = tracker.update(found.map(({ box }) => box), image.width, image.height, now)
    attention.follow(tracks)
    forgetProblems(tracks)
    const [wanted] = looking ? [] : attention.wanted(tracks, now)
    const detection = found[wanted?.sight ?? -1]
    if (wanted && detection && engine.value) void lookCloser(engine.value, image, detection, wanted, now)
    else image.close()
    for (const question of attention.questions(now)) ask(question)
    seen.value = tracks.filter(({ sight }) => sight !== null).map(shown)
    fps.value = rate.frame(performance.now())
  }

  /** Beside the glances that go on; of a camera that was lost meanwhile the result is nothing. */
  async function lookCloser(
    ready: FaceEngine,
    image: ImageBitmap,
    detection: Detection,
    track: Track,
    takenAt: number,
  ): Promise<void> {
    const [started, watched] = [performance.now(), attention]
    looking = true
    try {
      const face = await ready.lookCloser(image, detection)
      times.value = { ...times.value, embed: performance.now() - started }
      if (watched === attention) note(face, track, takenAt)
    } catch (error) {
      if (watched === attention && stop) failed(error)
    } finally {
      looking = false
    }
  }

  function note(face: Face | undefined, { id, doubts }: Track, takenAt: number): void {
    if (face?.embedding) {
      problems.delete(id)
      attention.took(id, { embedding: face.embedding, worth: worth(face.quality), takenAt }, doubts)
    } else {
      problems.set(id, face?.quality.problems[0] ?? 'no_face')
      attention.refused(id, performance.now() / 1000)
    }
  }

  function forgetProblems(tracks: readonly Track[]): void {
    const living = new Set(tracks.map(({ id }) => id))
    for (const id of [...problems.keys()]) if (!living.has(id)) problems.delete(id)
  }

  /** Two searches at once, the others after them. */
  function ask(question: Question): void {
    const [first = Promise.resolve(), ...others] = asking
    const asked = attention
    asking = [...others, first.then(() => search(question, asked))]
  }

  /** Whatever is asked is answered, if only by `unanswered`. */
  async function search(question: Question, asked: Attention): Promise<void> {
    try {
      if (!desk.value) throw new Error('no desk')
      const { found, timings } = await desk.value.search(question.embedding)
      const outcome = found.outcome === 'found' && found.people.length !== 1 ? 'unclear' : OUTCOMES[found.outcome]
      const person = outcome === 'named' ? (found.people[0] ?? null) : null
      if (person) names.set(person.id, person.name)
      asked.answered(question, outcome, performance.now() / 1000, person?.id ?? null)
      times.value = { ...times.value, ...timings }
      trouble.value = null
    } catch (error) {
      asked.answered(question, 'unanswered', performance.now() / 1000)
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

  /** Notes how long each stage of a frame took. */
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
    ;[tracker, attention, rate] = [new Tracker(), new Attention(), new FrameRate()]
    problems.clear()
  }

  watch(
    desk,
    (ready) => {
      ready?.prepare().catch(() => undefined) // whatever is wrong meets the first search too, and is told then
    },
    { immediate: true },
  )
  watch(
    () => live() && glancer.value !== null && engine.value !== null,
    (ready) => {
      end()
      if (!ready) return
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
