import { onBeforeUnmount, ref, shallowRef, watch, type Ref } from 'vue'
import type { FaceEngine, ProblemCode } from '@/face'
import { grab } from './frame'
import { GuidanceChooser, type Guide } from './guidance'
import { startLoop } from './loop'
import { makeShot, NoShot, type Shot } from './shot'
import { ShotController } from './shots'

interface Aiming {
  readonly video: Readonly<Ref<HTMLVideoElement | null>>
  readonly engine: Readonly<Ref<FaceEngine | null>>
  /** True while frames arrive. */
  readonly live: () => boolean
  readonly wanted: number
  readonly shotTaken: (shot: Shot) => void
  readonly failed: (error: unknown) => void
}

/** Looks at the camera's frames, says what to change, and shoots when nothing is left to change. */
export function useAim({ video, engine, live, wanted, shotTaken, failed }: Aiming) {
  const guide = ref<Guide>('no_face')
  const progress = ref(0)
  const shooting = ref(false)
  const controller = shallowRef(new ShotController(wanted))
  let chooser = new GuidanceChooser()
  let stop: (() => void) | null = null

  async function look(): Promise<void> {
    const [element, ready] = [video.value, engine.value]
    if (!element || !ready || element.videoWidth === 0 || shooting.value) return
    const faces = await ready.detect(await grab(element, 'aim'))
    const now = performance.now()
    const problems = problemsOf(faces)
    guide.value = chooser.next(problems, now)
    const aim = controller.value.frame(problems.length === 0, now)
    progress.value = aim.progress
    if (aim.shoot) await shoot({ strict: true })
  }

  /** Takes one shot from the current frame; by hand it forgives what can be forgiven. */
  async function shoot({ strict }: { strict: boolean }): Promise<void> {
    const [element, ready] = [video.value, engine.value]
    if (!element || !ready || shooting.value || controller.value.done) return
    shooting.value = true
    controller.value.rest()
    try {
      const shot = await makeShot(ready, await grab(element, 'shot'), { strict })
      controller.value.shotTaken(performance.now())
      shotTaken(shot)
    } catch (error) {
      if (!(error instanceof NoShot)) throw error
      controller.value.shotMissed(performance.now())
      guide.value = error.problem
    } finally {
      shooting.value = false
      progress.value = 0
    }
  }

  /** Forgets all shots and begins again. */
  function restart(): void {
    controller.value = new ShotController(wanted)
    chooser = new GuidanceChooser()
    guide.value = 'no_face'
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

  return { guide, progress, shooting, controller, shoot, restart }
}

/** What is wrong with a frame as a whole. */
function problemsOf(faces: readonly { readonly quality: { readonly problems: readonly ProblemCode[] } }[]): readonly ProblemCode[] {
  const [face] = faces
  if (!face) return ['no_face']
  return faces.length > 1 ? ['several_faces'] : face.quality.problems
}
