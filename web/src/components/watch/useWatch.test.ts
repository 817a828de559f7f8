// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { computed, nextTick, ref, shallowRef } from 'vue'
import type { Found } from '@/api'
import type { Box, Detection, Face, FaceEngine, Glancer } from '@/face'
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
  glances = 0
  /** Whom a closer look began at; what it sees is held back while `blind` is set. */
  readonly looked: number[] = []
  blind: Promise<void> | null = null
  /** Frames that nobody has closed. */
  open = 0

  readonly glancer = {
    glance: (image: ImageBitmap) => {
      this.glances += 1
      return Promise.resolve({ seen: this.here.map((who): Detection => ({ box: this.#box(who), landmarks: [], score: 1 })), image })
    },
  } as unknown as Glancer

  readonly engine = {
    lookCloser: async (image: ImageBitmap, { box }: Detection) => {
      const who = Math.floor((box[0] / image.width) * PEOPLE.length)
      this.looked.push(who)
      await this.blind
      image.close()
      return this.#face(who)
    },
  } as unknown as FaceEngine

  frame(): ImageBitmap {
    this.open += 1
    const close = (): void => {
      this.open -= 1
    }
    return { width: this.size.videoWidth, height: this.size.videoHeight, close }
  }

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
  vi.stubGlobal('createImageBitmap', () => Promise.resolve(scene.frame()))
  mounted = await mount({
    setup() {
      watching = useWatch({
        video: computed(() => scene.size as HTMLVideoElement),
        glancer: shallowRef(scene.glancer),
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

afterEach(async () => {
  mounted.unmount()
  await pass(1)
  expect(scene.open).toBe(0)
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

describe('a closer look that takes its time', () => {
  let see: () => void

  beforeEach(async () => {
    scene.blind = new Promise((done) => {
      see = done
    })
    scene.here = [0]
    await pass(0.5)
    expect(scene.looked).toEqual([0])
  })

  it('is the only one, and everybody is followed meanwhile', async () => {
    const before = scene.glances
    scene.here = [0, 1, 2]
    await pass(1)
    expect([scene.glances - before, scene.looked]).toEqual([25, [0]])
    expect(watching.seen.value.length).toBe(3)
    see()
    await pass(0.5)
    expect(labels()).toEqual(PEOPLE)
  })

  it('is of nobody when its face has gone', async () => {
    scene.here = []
    await pass(3)
    see()
    scene.here = [1]
    await pass(1)
    expect([labels(), scene.asked]).toEqual([['乙'], [1]])
  })

  it('is of nobody when the camera was lost meanwhile, whoever comes then', async () => {
    scene.live.value = false
    await nextTick()
    scene.here = [1]
    scene.live.value = true
    await pass(0.5)
    expect([scene.looked, scene.asked]).toEqual([[0], []])
    see()
    await pass(0.5)
    expect([labels(), scene.asked]).toEqual([['乙'], [1]])
  })
})
