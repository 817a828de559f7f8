// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { computed, nextTick, ref, shallowRef } from 'vue'
import type { Found } from '@/api'
import type { Box, Detection, Face, FaceEngine } from '@/face'
import type { Desk } from '@/kiosk/desk'
import { mount, type Mounted } from '../../../tests/mount'
import { useWatch } from './useWatch'

const PEOPLE = ['甲', '乙', '丙']
const AXES = 8

/** One camera and one kiosk: `here` are the people before it, by their place in PEOPLE. */
class Scene {
  readonly live = ref(true)
  readonly asked: number[] = []
  here: number[] = []
  known = new Set([0, 1, 2])
  size = { videoWidth: 640, videoHeight: 480 }
  /** Answers are held back while this is set. */
  held: Promise<void> | null = null
  under = 0
  mostAtOnce = 0

  readonly engine = {
    glance: () => Promise.resolve(this.here.map((who): Detection => ({ box: this.#box(who), landmarks: [], score: 1 }))),
    lookCloser: ({ box }: Detection) => Promise.resolve(this.#face(Math.floor((box[0] / this.size.videoWidth) * PEOPLE.length))),
  } as unknown as FaceEngine

  readonly desk = {
    prepare: () => Promise.resolve(),
    search: async (embedding: Float32Array) => {
      const who = embedding.indexOf(Math.max(...embedding))
      this.asked.push(who)
      this.under += 1
      this.mostAtOnce = Math.max(this.mostAtOnce, this.under)
      await this.held
      this.under -= 1
      const people = this.known.has(who) ? [{ id: String(who), name: PEOPLE[who] ?? '' }] : []
      const found: Found = { outcome: people.length > 0 ? 'found' : 'nobody', people, searched: 3 }
      return { found, timings: { protect: 1, search: 1 } }
    },
  } as unknown as Desk

  #box(who: number): Box {
    const { videoWidth, videoHeight } = this.size
    return [((who + 0.3) / PEOPLE.length) * videoWidth, 0.3 * videoHeight, 0.1 * videoWidth, 0.15 * videoHeight]
  }

  #face(who: number): Face {
    const quality = { size: 200, sharpness: 1, brightness: 120, yaw: 0, pitch: 0, roll: 0, occlusion: 0, problems: [] }
    return { quality, embedding: Float32Array.from({ length: AXES }, (_, axis) => (axis === who ? 1 : 0)) } as unknown as Face
  }
}

let scene: Scene
let watching: ReturnType<typeof useWatch>
let mounted: Mounted

/** Time passes before the camera. */
const pass = (seconds: number): Promise<unknown> => vi.advanceTimersByTimeAsync(1000 * seconds)
const labels = (): (string | null)[] => watching.seen.value.map(({ name, outcome }) => name ?? outcome)

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  scene = new Scene()
  vi.stubGlobal('createImageBitmap', () => Promise.resolve({ width: scene.size.videoWidth, height: scene.size.videoHeight }))
  mounted = await mount({
    setup() {
      watching = useWatch({
        video: computed(() => scene.size as HTMLVideoElement),
        engine: shallowRef(scene.engine),
        desk: shallowRef(scene.desk),
        live: () => scene.live.value,
        failed: (error) => {
          throw error
        },
      })
      return () => null
    },
  })
})

afterEach(() => {
  mounted.unmount()
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

describe('a kiosk in a browser', () => {
  it('names three who come together by a look at each, two searches at once', async () => {
    let answer = (): void => undefined
    scene.held = new Promise((done) => {
      answer = done
    })
    scene.here = [0, 1, 2]
    await pass(0.3)
    expect(scene.asked).toEqual([0, 1])
    answer()
    await pass(0.1)
    expect(labels()).toEqual(PEOPLE)
    expect([scene.asked, scene.mostAtOnce]).toEqual([[0, 1, 2], 2])
  })

  it('drops a name with the answer that no longer gives it, half a minute later', async () => {
    scene.here = [0]
    await pass(1)
    scene.known.clear()
    await pass(28)
    expect([labels(), scene.asked]).toEqual([['甲'], [0]])
    await pass(3)
    expect([labels(), scene.asked]).toEqual([['unknown'], [0, 0]])
  })

  it('forgets whoever left: who comes back is nameless until asked about again', async () => {
    scene.here = [0]
    await pass(1)
    scene.here = []
    await pass(3)
    expect(labels()).toEqual([])
    scene.known.clear()
    scene.here = [0]
    await pass(1)
    expect([labels(), scene.asked]).toEqual([['unknown'], [0, 0, 0]])
  })

  it('goes on with the same people when the camera changes its size', async () => {
    scene.here = [0, 1]
    await pass(1)
    const tracks = watching.seen.value.map(({ track }) => track)
    scene.size = { videoWidth: 1280, videoHeight: 960 }
    await pass(1)
    expect(labels()).toEqual(['甲', '乙'])
    expect(watching.seen.value.map(({ track }) => track)).toEqual(tracks)
    expect(scene.asked).toEqual([0, 1])
  })

  it('shows nobody while the camera is lost, and begins anew when it is back', async () => {
    scene.here = [0]
    await pass(1)
    scene.live.value = false
    await nextTick()
    expect(labels()).toEqual([])
    await pass(5)
    expect([labels(), scene.asked]).toEqual([[], [0]])
    scene.here = [1]
    scene.live.value = true
    await pass(1)
    expect([labels(), scene.asked]).toEqual([['乙'], [0, 1]])
  })
})
