import { describe, expect, it } from 'vitest'
import vectors from '../../../vectors/tracker.json'
import { Attention, worth, type Question } from './attention'
import { Tracker, type Track } from './tracker'
import type { Box } from './types'

type Scene = (typeof vectors.scenes)[number]
type Frame = Scene['frames'][number]

const KNOWN: Readonly<Record<string, string>> = vectors.known
const axis = (which: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: vectors.axes }, (_, index) => (index === which ? 1 : 0))

/** One camera: one look a frame, and every question answered before the next one, as tools/tracker_vectors.py does. */
class Camera {
  readonly #tracker = new Tracker()
  readonly attention = new Attention()
  tracks: readonly Track[] = []

  show({ now, size: [width = 0, height = 0], boxes, who, worth: worths }: Frame) {
    this.tracks = this.#tracker.update(boxes as unknown as Box[], width, height, now)
    this.attention.follow(this.tracks)
    const looked = this.attention.wanted(this.tracks, now).slice(0, 1)
    for (const { id, sight } of looked) {
      const value = worths[sight ?? -1] ?? 0
      if (value > 0) this.attention.took(id, { embedding: axis(who[sight ?? -1] ?? -1), worth: value, takenAt: now })
      else this.attention.refused(id, now)
    }
    const asked = this.attention.questions(now)
    for (const question of asked) {
      const person = KNOWN[question.embedding.indexOf(Math.max(...question.embedding))] ?? null
      this.attention.answered(question, person === null ? 'unknown' : 'named', now, person)
    }
    return {
      looked: looked.map(({ id }) => id),
      asked: asked.map(({ track }) => track),
      tracks: this.tracks.map(({ id, sight, doubts }) => {
        const { outcome, person } = this.attention.standing(id)
        return [id, sight, doubts, outcome, person]
      }),
    }
  }
}

describe('people before a camera', () => {
  it.each(vectors.scenes)('$name: as Python sees it', ({ frames, trace }) => {
    const camera = new Camera()
    for (const [index, frame] of frames.entries()) {
      const { looked, asked, tracks } = trace[index] ?? { looked: [], asked: [], tracks: [] }
      expect(camera.show(frame)).toEqual({ looked, asked, tracks })
    }
    const moving = trace.at(-1)?.moving ?? []
    expect(camera.tracks.length).toBe(moving.length)
    for (const [index, { box, velocity }] of camera.tracks.entries()) {
      for (const [place, value] of [...box, ...velocity].entries()) expect(value).toBeCloseTo(moving[index]?.[place] ?? NaN, 9)
    }
  })

  it('is searched anew when somebody was registered', () => {
    const camera = new Camera()
    const frame = (now: number): Frame => ({ now, size: [640, 480], boxes: [[100, 100, 80, 100]], who: [0], worth: [1] })
    for (const now of [0, 0.1, 0.2, 0.3]) camera.show(frame(now))
    expect(camera.attention.standing(1).person).toBe('甲')
    camera.attention.again()
    expect(camera.attention.standing(1).person).toBeNull()
    expect([0.4, 0.5, 0.6].flatMap((now) => camera.show(frame(now)).asked)).toEqual([1])
  })

  it('is not named by an answer that was under way when everybody was to be searched anew', () => {
    const camera = new Camera()
    const frame: Frame = { now: 0, size: [640, 480], boxes: [[100, 100, 80, 100]], who: [0], worth: [0] }
    for (const now of [0, 0.1]) camera.show({ ...frame, now })
    const { attention } = camera
    const ask = (now: number): Question => {
      attention.took(1, { embedding: axis(0), worth: 1, takenAt: now })
      const [question] = attention.questions(now)
      if (!question) throw new Error('nothing asked')
      return question
    }
    const stale = ask(0.3)
    attention.again()
    const asked = ask(0.4)
    attention.answered(stale, 'named', 0.5, '甲')
    expect([attention.standing(1).phase, attention.people().size]).toEqual(['asking', 0])
    attention.answered(asked, 'named', 0.6, '乙')
    expect([...attention.people()]).toEqual(['乙'])
  })

  it('is asked about again after half a minute, and loses the name only with the answer', () => {
    const camera = new Camera()
    const frame = (now: number): Frame => ({ now, size: [640, 480], boxes: [[100, 100, 80, 100]], who: [0], worth: [1] })
    for (const now of [0, 0.1, 0.2, 0.3]) camera.show(frame(now))
    const { attention } = camera
    const look = { embedding: axis(0), worth: 1, takenAt: 30 }
    attention.took(1, look)
    expect(attention.questions(30.1)).toEqual([])
    for (const takenAt of [30.2, 30.3, 30.4]) attention.took(1, { ...look, takenAt })
    const [question] = attention.questions(30.4)
    if (!question) throw new Error('nothing asked')
    expect([...attention.people()]).toEqual(['甲'])
    attention.answered(question, 'unknown', 30.5)
    expect(attention.people().size).toBe(0)
  })

  it('is looked at again when a doubt came while a look was under way', () => {
    const camera = new Camera()
    const frame = (now: number): Frame => ({ now, size: [640, 480], boxes: [[100, 100, 80, 100]], who: [0], worth: [1] })
    for (const now of [0, 0.1, 0.2, 0.3]) camera.show(frame(now))
    const { attention, tracks } = camera
    const [track] = tracks
    if (!track) throw new Error('nobody')
    const doubted = [{ ...track, doubts: track.doubts + 1 }]
    attention.follow(doubted)
    const wanted = (): number[] => attention.wanted(doubted, 0.5).map(({ id }) => id)
    attention.took(track.id, { embedding: axis(0), worth: 1, takenAt: 0.4 }, track.doubts)
    expect(wanted()).toEqual([track.id])
    attention.took(track.id, { embedding: axis(0), worth: 1, takenAt: 0.5 })
    expect(wanted()).toEqual([])
  })

  it.each([
    { whose: 'the same face', who: 0, again: [] },
    { whose: 'another face', who: 1, again: [1] },
  ])('changes no question that was asked while $whose was looked at', ({ who, again }) => {
    const attention = new Attention()
    const tracks: Track[] = [
      { id: 1, box: [0.1, 0.1, 0.1, 0.1], velocity: [0, 0], seenAt: 0, sight: 0, hits: 2, missed: 0, doubts: 0 },
    ]
    attention.follow(tracks)
    attention.took(1, { embedding: axis(0), worth: 1, takenAt: 0 })
    const [question] = attention.questions(0.1)
    if (!question) throw new Error('nothing asked')
    attention.took(1, { embedding: axis(who), worth: 1, takenAt: 0.05 })
    expect(attention.questions(0.2)).toEqual([])
    attention.answered(question, 'named', 0.3, '甲')
    expect(attention.standing(1).person).toBe('甲')
    expect(attention.wanted(tracks, 0.4).map(({ id }) => id)).toEqual(again)
  })

  it('counts for more when large, sharp and from the front', () => {
    const best = { size: 200, sharpness: 1.2, brightness: 120, yaw: 0, pitch: 0, roll: 0, occlusion: 0, problems: [] }
    expect(worth(best)).toBe(1)
    expect(worth({ ...best, yaw: 60 })).toBeCloseTo(0.5)
    expect(worth({ ...best, problems: ['blurred'] })).toBe(0)
  })
})
