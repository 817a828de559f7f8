/**
 * Which face of this frame is which face of the last one. Mirror of src/veilface/face/tracker.py, which says why.
 *
 * Boxes count in shares of the frame, so a camera that changes its resolution changes nobody's track. Tracks and boxes
 * are paired greedily, the best affinity first; where two tracks fit one box as well, both are in doubt.
 */
import { overlap } from './detector'
import type { Box } from './types'

/** Frames in which a face must have been seen before it counts. */
const CONFIRMED = 2
const MOST_MISSED = 15
const LONGEST_GAP_S = 2
const LEAST_AFFINITY = 0.02
const NEARNESS = 0.1
const MOST_GROWTH = 3
const RIVAL_SHARE = 0.5
const DOUBTFUL_MISSES = 3
const LONGEST_PREDICTION_S = 0.5
const VELOCITY_MEMORY = 0.5

/** One face, followed from frame to frame. */
export interface Track {
  readonly id: number
  /** Where it was last seen, in shares of the frame. */
  readonly box: Box
  /** Of its centre, in shares of the frame a second. */
  readonly velocity: readonly [number, number]
  readonly seenAt: number
  /** Which of the last frame's boxes it is; null where it was missed. */
  readonly sight: number | null
  /** Frames in which it was seen, and since it was last seen. */
  readonly hits: number
  readonly missed: number
  /** How often it may have become somebody else. */
  readonly doubts: number
}

/** How well one track (by its place in the list) and one box (by its place) fit. */
interface Pair {
  readonly track: number
  readonly box: number
  readonly affinity: number
}

/** Seen often enough to be a face. */
export function confirmed(track: Track): boolean {
  return track.hits >= CONFIRMED
}

/** Where the box should be at `now` (seconds), half a second ahead at most. */
export function predicted({ box: [x, y, width, height], velocity, seenAt }: Track, now: number): Box {
  const ahead = Math.min(Math.max(now - seenAt, 0), LONGEST_PREDICTION_S)
  return [x + velocity[0] * ahead, y + velocity[1] * ahead, width, height]
}

/** Follows faces through one camera's frames. */
export class Tracker {
  #tracks: readonly Track[] = []
  #lastId = 0
  #size: string | null = null

  /**
   * Takes in one frame of `width`×`height` pixels at `now` (seconds, of any steady clock), with `boxes` in its pixels.
   * @returns every living track, the oldest first
   */
  update(boxes: readonly Box[], width: number, height: number, now: number): readonly Track[] {
    const shares = boxes.map(([x, y, across, down]): Box => [x / width, y / height, across / width, down / height])
    const fitting = this.#fitting(shares, now)
    const pairs = paired(fitting)
    const size = `${width}×${height}`
    const resized = this.#size !== null && this.#size !== size // perhaps this is another camera
    this.#size = size
    const doubtful = rivals(fitting, pairs)
    const sights = new Map(pairs.map(({ track, box }) => [track, box]))
    const followed = this.#tracks.map((track, place): Track => {
      const sight = sights.get(place)
      const box = sight === undefined ? undefined : shares[sight]
      const next = sight === undefined || !box ? { ...track, sight: null, missed: track.missed + 1 } : seen(track, box, sight, now)
      return { ...next, doubts: next.doubts + (resized || doubtful.has(place) ? 1 : 0) }
    })
    const taken = new Set(pairs.map(({ box }) => box))
    this.#tracks = [...followed.filter((track) => lives(track, now)), ...this.#born(shares, taken, now)]
    return this.#tracks
  }

  #fitting(boxes: readonly Box[], now: number): Pair[] {
    return this.#tracks
      .flatMap((track, place) =>
        boxes.map((box, index) => ({ track: place, box: index, affinity: affinity(predicted(track, now), box) })),
      )
      .filter((pair) => pair.affinity >= LEAST_AFFINITY)
  }

  #born(boxes: readonly Box[], taken: ReadonlySet<number>, now: number): Track[] {
    return boxes.flatMap((box, sight) => {
      if (taken.has(sight)) return []
      this.#lastId += 1
      return [{ id: this.#lastId, box, velocity: [0, 0] as const, seenAt: now, sight, hits: 1, missed: 0, doubts: 0 }]
    })
  }
}

/** How likely two boxes are of one face, 0 to 1: their overlap, or a little for a near miss of like size. */
export function affinity(first: Box, second: Box): number {
  const growth = (first[2] * first[3]) / (second[2] * second[3])
  if (!(growth >= 1 / MOST_GROWTH && growth <= MOST_GROWTH)) return 0
  const across = (first[0] + first[2] / 2 - second[0] - second[2] / 2) / ((first[2] + second[2]) / 2)
  const down = (first[1] + first[3] / 2 - second[1] - second[3] / 2) / ((first[3] + second[3]) / 2)
  return Math.max(overlap(first, second), NEARNESS * (1 - Math.hypot(across, down)))
}

/** Greedily, the best first; of equals the older track and the surer box. */
function paired(fitting: readonly Pair[]): Pair[] {
  const pairs: Pair[] = []
  const best = fitting.toSorted(
    (one, other) => other.affinity - one.affinity || one.track - other.track || one.box - other.box,
  )
  for (const pair of best) {
    if (pairs.every(({ track, box }) => track !== pair.track && box !== pair.box)) pairs.push(pair)
  }
  return pairs
}

/** The tracks that might as well have been given each other's box. */
function rivals(fitting: readonly Pair[], pairs: readonly Pair[]): Set<number> {
  const doubtful = new Set<number>()
  for (const { track, box, affinity: own } of pairs) {
    const enough = Math.max(RIVAL_SHARE * own, NEARNESS)
    const others = fitting.filter((pair) => pair.box === box && pair.track !== track && pair.affinity >= enough)
    for (const other of others) doubtful.add(other.track).add(track)
  }
  return doubtful
}

function seen(track: Track, box: Box, sight: number, now: number): Track {
  const passed = now - track.seenAt
  const kept = track.hits > 1 ? VELOCITY_MEMORY : 0
  const speed = (axis: 0 | 1): number => {
    if (passed <= 0) return track.velocity[axis]
    const size = axis === 0 ? (2 as const) : (3 as const)
    const moved = (box[axis] + box[size] / 2 - track.box[axis] - track.box[size] / 2) / passed
    return kept * track.velocity[axis] + (1 - kept) * moved
  }
  return {
    ...track,
    box,
    velocity: [speed(0), speed(1)],
    seenAt: now,
    sight,
    hits: track.hits + 1,
    missed: 0,
    doubts: track.doubts + (track.missed >= DOUBTFUL_MISSES ? 1 : 0),
  }
}

/** A face that was seen once must be seen again at once; one that is known may hide for a moment. */
function lives(track: Track, now: number): boolean {
  if (track.missed === 0) return true
  return confirmed(track) && track.missed <= MOST_MISSED && now - track.seenAt <= LONGEST_GAP_S
}
