/**
 * A challenge and its response: does whoever is before the camera move as asked, when asked, in one piece? See
 * src/veilface/face/liveness.py, which this mirrors: no certified presentation-attack detection.
 */
import { overlap } from './detector'
import type { Box } from './types'

/** As the person does them: whoever turns to their left points the nose to the right of the picture. */
export type Action = 'turn_left' | 'turn_right' | 'nod' | 'come_closer'
export type LivenessFailure =
  'lost' | 'several_faces' | 'jumped' | 'unasked' | 'wrong_way' | 'sudden' | 'too_late'
export type LivenessStage = 'steady' | 'waiting' | 'acting' | 'passed' | 'failed'

const STEADY_S = 0.4
const STRAIGHT_YAW = 14
const STRAIGHT_PITCH = 16
const STILL = 5
const TURN = 15
const NOD = 9
const CLOSER = 0.22
const NOD_OVER = 0.4
const QUICKEST_S = 0.15
const DEADLINE_S = 6
const ON_THE_WAY = [0.25, 0.95] as const
const LEAST_OVERLAP = 0.3
const LONGEST_GAP_S = 2

/** A model that tells live faces from prints, screens and masks; none ships with Veilface. */
export interface AttackDetector {
  looksLive(crops: readonly ImageData[]): Promise<boolean>
}

/** One movement, asked for `pauseS` seconds after the face held still. */
export interface Prompt {
  readonly action: Action
  readonly pauseS: number
}

/** One frame at `at` seconds: how many faces, and of the only one its box in shares of the frame and its pose. */
export interface Sight {
  readonly at: number
  readonly faces: number
  readonly box: Box
  readonly yaw: number
  readonly pitch: number
}

/** A movement that was done: seconds since the first frame, and how many frames showed it. */
export interface Step {
  readonly action: Action
  readonly promptedS: number
  readonly doneS: number
  readonly frames: number
}

/** What to show after a frame; `keep`: this frame is one to embed, and all that are kept must show one person. */
export interface Progress {
  readonly stage: LivenessStage
  readonly action: Action | null
  /** How much of the movement, or of holding still, is there (0 to 1). */
  readonly share: number
  readonly keep: boolean
  readonly failure: LivenessFailure | null
}

type Shares = Readonly<Record<Action, number>>

/** What is not the movement asked for. The pitch of a turned head says little, so nods do not count while turning. */
const CONTRARY: Readonly<Record<Action, readonly Action[]>> = {
  turn_left: ['turn_right', 'come_closer'],
  turn_right: ['turn_left', 'come_closer'],
  nod: ['turn_left', 'turn_right', 'come_closer'],
  come_closer: ['turn_left', 'turn_right'],
}

/** Follows one face through the movements of a plan. Feed it every frame; it ends passed or failed. */
export class LivenessCheck {
  readonly #plan: readonly Prompt[]
  readonly steps: Step[] = []
  frames = 0
  durationS = 0
  #began: number | null = null
  #last: Sight | null = null
  #calm: readonly Sight[] = []
  #neutral: Sight | null = null
  #waitsUntil = 0
  #promptedAt: number | null = null
  #shown = 0
  #gradual = false
  #deepest = 0
  #end: Progress | null = null

  constructor(plan: readonly Prompt[]) {
    this.#plan = plan
  }

  /** Takes in one frame. Before the face has held still once, whatever is wrong only begins anew. */
  see(sight: Sight): Progress {
    if (this.#end) return this.#end
    this.#began ??= sight.at
    this.frames += 1
    this.durationS = sight.at - this.#began
    const broken = this.#broken(sight)
    if (sight.faces === 1) this.#last = sight
    if (broken) return this.#committed ? this.#over(broken) : this.#restart()
    if (sight.faces !== 1) return this.#stillWanted()
    if (this.#neutral === null) return this.#holdStill(sight)
    if (this.#promptedAt === null) return this.#wait(sight, this.#neutral)
    return this.#act(sight, this.#neutral, this.#promptedAt)
  }

  /** Whether something was asked for or is about to be: from here on, a break is a failure. */
  get #committed(): boolean {
    return this.#neutral !== null || this.steps.length > 0
  }

  #broken(sight: Sight): LivenessFailure | null {
    const last = this.#last
    if (sight.faces > 1) return 'several_faces'
    if (last === null) return null
    if (sight.at - last.at > LONGEST_GAP_S) return 'lost'
    return sight.faces === 1 && overlap(last.box, sight.box) < LEAST_OVERLAP ? 'jumped' : null
  }

  #restart(): Progress {
    this.#calm = []
    this.#last = null
    return progress('steady')
  }

  /** A frame without a face: what was wanted is wanted still. */
  #stillWanted(): Progress {
    if (this.#neutral === null) {
      this.#calm = []
      return progress('steady')
    }
    return this.#promptedAt === null ? progress('waiting') : progress('acting', { action: this.#asked.action })
  }

  get #asked(): Prompt {
    const asked = this.#plan[this.steps.length]
    if (!asked) throw new RangeError('nothing is asked for any more')
    return asked
  }

  #holdStill(sight: Sight): Progress {
    const straight = Math.abs(sight.yaw) <= STRAIGHT_YAW && Math.abs(sight.pitch) <= STRAIGHT_PITCH
    this.#calm = straight ? [...this.#calm.filter((one) => near(one, sight)), sight] : []
    const held = sight.at - (this.#calm[0]?.at ?? sight.at)
    if (held < STEADY_S) return progress('steady', { share: held / STEADY_S })
    if (this.steps.length === this.#plan.length) {
      this.#end = progress('passed', { share: 1 })
      return progress('passed', { share: 1, keep: true })
    }
    this.#neutral = mean(this.#calm)
    this.#calm = []
    this.#waitsUntil = sight.at + this.#asked.pauseS
    return progress('waiting', { keep: true })
  }

  #wait(sight: Sight, neutral: Sight): Progress {
    if (Math.max(...Object.values(sharesOf(sight, neutral))) >= 1) return this.#over('unasked')
    if (sight.at < this.#waitsUntil) return progress('waiting')
    this.#promptedAt = sight.at
    this.#shown = 0
    this.#gradual = false
    this.#deepest = 0
    return progress('acting', { action: this.#asked.action })
  }

  #act(sight: Sight, neutral: Sight, promptedAt: number): Progress {
    const { action } = this.#asked
    const shares = sharesOf(sight, neutral)
    const share = shares[action]
    this.#shown += 1
    this.#gradual ||= ON_THE_WAY[0] <= share && share <= ON_THE_WAY[1]
    this.#deepest = Math.max(this.#deepest, share)
    if (CONTRARY[action].some((other) => shares[other] >= 1)) return this.#over('wrong_way')
    if (this.#deepest < 1 || (action === 'nod' && share > NOD_OVER)) {
      return sight.at - promptedAt > DEADLINE_S ? this.#over('too_late') : this.#acting(action, share)
    }
    if (sight.at - promptedAt < QUICKEST_S) return this.#over('unasked')
    return this.#gradual ? this.#done(sight, promptedAt) : this.#over('sudden')
  }

  #acting(action: Action, share: number): Progress {
    const down = this.#deepest < 1 ? this.#deepest / 2 : 1 - share / 2 // down is half of a nod
    return progress('acting', { action, share: Math.min(Math.max(action === 'nod' ? down : share, 0), 1) })
  }

  #done(sight: Sight, promptedAt: number): Progress {
    const began = this.#began ?? 0
    this.steps.push({
      action: this.#asked.action,
      promptedS: promptedAt - began,
      doneS: sight.at - began,
      frames: this.#shown,
    })
    this.#neutral = null
    this.#promptedAt = null
    return progress('steady', { keep: true })
  }

  #over(failure: LivenessFailure): Progress {
    this.#end = progress('failed', { failure })
    return this.#end
  }
}

function progress(stage: LivenessStage, rest: Partial<Progress> = {}): Progress {
  return { stage, action: null, share: 0, keep: false, failure: null, ...rest }
}

/** How much of each movement there is, 1 for all of it. */
function sharesOf(sight: Sight, neutral: Sight): Shares {
  const yaw = sight.yaw - neutral.yaw
  return {
    turn_left: yaw / TURN,
    turn_right: -yaw / TURN,
    nod: (neutral.pitch - sight.pitch) / NOD,
    come_closer: (sight.box[3] / neutral.box[3] - 1) / CLOSER,
  }
}

function near(one: Sight, other: Sight): boolean {
  return Math.abs(one.yaw - other.yaw) <= STILL && Math.abs(one.pitch - other.pitch) <= STILL
}

function mean(sights: readonly Sight[]): Sight {
  const last = sights[sights.length - 1]
  if (!last) throw new RangeError('no frame')
  const average = (value: (sight: Sight) => number): number =>
    sights.reduce((sum, sight) => sum + value(sight), 0) / sights.length
  const [x, y, width] = last.box
  return {
    at: last.at,
    faces: 1,
    box: [x, y, width, average((sight) => sight.box[3])],
    yaw: average((sight) => sight.yaw),
    pitch: average((sight) => sight.pitch),
  }
}
