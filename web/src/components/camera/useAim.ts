import { onBeforeUnmount, ref, watch, type Ref } from 'vue'
import type { Face, FaceEngine, ProblemCode } from '@/face'
import { grab } from './frame'
import { GuidanceChooser, type Guide } from './guidance'
import { startLoop } from './loop'
import { makeShot, meant, NoShot, type Shot } from './shot'
import { ShotController } from './shots'

interface Aiming {
  readonly video: Readonly<Ref<HTMLVideoElement | null>>
  readonly engine: Readonly<Ref<FaceEngine | null>>
  /** True while frames arrive. */
  readonly live: () => boolean
  /** True while another shot is wanted. */
  readonly more: () => boolean
  readonly shotTaken: (shot: Shot) => void
  readonly failed: (error: unknown) => void
}

/** Looks at the camera's frames, says what to change, and shoots when nothing is left to change. */
export function useAim({ video, engine, live, more, shotTaken, failed }: Aiming) {
  const guide = ref<Guide>('no_face')
  const progress = ref(0)
  const shooting = ref(false)
  const controller = new ShotController()
  const chooser = new GuidanceChooser()
  let stop: (() => void) | null = null

  async function look(): Promise<void> {
    const [element, ready] = [video.value, engine.value]
    if (!element || !ready || element.videoWidth === 0 || shooting.value || !more()) return
    const faces = await ready.detect(await grab(element, 'aim'))
    const now = performance.now()
    const problems = problemsOf(faces)
    guide.value = chooser.next(problems, now)
    const aim = controller.frame(problems.length === 0, now)
    progress.value = aim.progress
    if (aim.shoot) await shoot()
  }

  /** Takes one shot from the current frame, by itself or by hand. */
  async function shoot(): Promise<void> {
    const [element, ready] = [video.value, engine.value]
    if (!element || !ready || shooting.value || !more()) return
    shooting.value = true
    controller.rest()
    try {
      shotTaken(await makeShot(ready, await grab(element, 'shot')))
    } catch (error) {
      if (error instanceof NoShot) guide.value = chooser.insist(error.problem, performance.now())
      else failed(error)
    } finally {
      controller.over(performance.now())
      shooting.value = false
      progress.value = 0
    }
  }

  function end(): void {
    stop?.()
    stop = null
  }

  watch(
    () => live() && engine.value !== null,
    (ready) => {
      end()
      if (ready) stop = startLoop(look, failed)
    },
    { immediate: true },
  )
  onBeforeUnmount(end)

  return { guide, progress, shooting, shoot }
}

/** What is wrong with a frame as a whole. */
function problemsOf(faces: readonly Face[]): readonly ProblemCode[] {
  try {
    return meant(faces).quality.problems
  } catch (error) {
    if (error instanceof NoShot) return [error.problem]
    throw error
  }
}
