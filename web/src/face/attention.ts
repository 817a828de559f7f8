/**
 * Which of the followed faces to look at closely, and when to ask who they are.
 * Mirror of src/veilface/face/attention.py, which says why.
 */
import { averageEmbeddings, likeness, type Embedding } from './embedder'
import { confirmed, type Track } from './tracker'
import type { Quality } from './types'

/** A person was found; nobody; several people alike; no answer came. */
export type Outcome = 'named' | 'unknown' | 'unclear' | 'unanswered'

const SHOTS = 3
/** What a new face's first shot must be worth to be asked about alone. */
const FIRST_WORTH = 0.2
const PATIENCE_S = 0.6
const LEAST_WORTH = 0.5
const PAUSE_S = 0.15
const CHECK_EVERY_S = 2
/** After an answer with a name: for so long it is believed. */
const ASK_AGAIN_S = 30
const FIRST_RETRY_S = 2
const LAST_RETRY_S = 60
/** The cosine above which two shots of one track are of one person. */
const SAME = 0.45
const FULL_SIZE = 112
/** Fewer doubts than a track ever had: it is looked at again as soon as that may be. */
const UNSETTLED = -1

/** One good look at a face: its unit embedding, what it is worth (0 to 1), and when it was taken (seconds). */
export interface Look {
  readonly embedding: Embedding
  readonly worth: number
  readonly takenAt: number
}

/** Whose face track `track` is; no other question has its `number`. */
export interface Question {
  readonly track: number
  readonly number: number
  readonly embedding: Embedding
}

/** What is known of one track: the last answer, and what leads to the next one. */
export interface Standing {
  readonly phase: 'looking' | 'asking' | 'resting'
  /** These two stay while the face is looked at and asked about again. */
  readonly outcome: Outcome | null
  readonly person: string | null
  /** Those of the next question, or of the one under way. */
  readonly looks: readonly Look[]
  /** The embedding that the last question named. */
  readonly reference: Embedding | null
  /** When the next look is due, and the next search, which for somebody known is later; no look before `lookAt`. */
  readonly nextAt: number
  readonly askAt: number
  readonly lookAt: number
  /** Searches without a name. */
  readonly inVain: number
  /** The tracker's doubts that were looked into. */
  readonly settled: number
  /** The number of the last question. */
  readonly asked: number
}

const NEW: Standing = {
  phase: 'looking',
  outcome: null,
  person: null,
  looks: [],
  reference: null,
  nextAt: 0,
  askAt: 0,
  lookAt: 0,
  inVain: 0,
  settled: 0,
  asked: 0,
}

/** Chooses looks and questions for the tracks of one camera. */
export class Attention {
  #standings = new Map<number, Standing>()
  #doubts = new Map<number, number>()
  #asked = 0

  /** Takes in the tracks of a frame; those that are gone are forgotten with everything about them. */
  follow(tracks: readonly Track[]): void {
    this.#doubts = new Map(tracks.map(({ id, doubts }) => [id, doubts]))
    this.#standings = new Map(tracks.map(({ id }) => [id, this.standing(id)]))
  }

  /** What is known of a track. */
  standing(track: number): Standing {
    return this.#standings.get(track) ?? NEW
  }

  /** The visible tracks that want a closer look in this frame, the most urgent first. */
  wanted(tracks: readonly Track[], now: number): Track[] {
    return tracks
      .filter((track) => confirmed(track) && track.sight !== null && this.#wants(track.id, now))
      .toSorted((one, other) => this.#urgency(one.id) - this.#urgency(other.id) || one.id - other.id)
  }

  /**
   * A good look was had. If it is not the face that the track had before, everything about it starts anew.
   *
   * Frames pass while somebody is looked at, other than on the server: of a track that is gone the look is nothing, it
   * settles only the `doubts` that the track had in its frame, and for a question that was asked meanwhile it is late.
   */
  took(track: number, look: Look, doubts: number = this.#doubts.get(track) ?? 0): void {
    const before = this.#standings.get(track)
    if (!before) return
    if (before.phase !== 'asking') this.#standings.set(track, { ...after(before, look), settled: doubts })
    else if (!fits(before, look)) this.#standings.set(track, { ...before, settled: UNSETTLED })
  }

  /** The look showed a face that will do for nothing. */
  refused(track: number, now: number): void {
    const before = this.#standings.get(track)
    if (before) this.#standings.set(track, { ...before, lookAt: now + PAUSE_S })
  }

  /** What to ask now. Each must be answered. */
  questions(now: number): Question[] {
    const asked: Question[] = []
    for (const [track, standing] of this.#standings) {
      if (!ready(standing, now)) continue
      const best = Math.max(...standing.looks.map(({ worth }) => worth))
      const chosen = standing.looks.filter(({ worth }) => worth >= LEAST_WORTH * best)
      const embedding = averageEmbeddings(chosen.map((look) => look.embedding))
      const number = ++this.#asked
      this.#standings.set(track, { ...standing, phase: 'asking', reference: embedding, asked: number })
      asked.push({ track, number, embedding })
    }
    return asked
  }

  /** The answer to a question; of a track that is gone it is nothing, nor is it where everything began anew since. */
  answered({ track, number }: Question, outcome: Outcome, now: number, person: string | null = null): void {
    const before = this.#standings.get(track)
    if (before?.phase !== 'asking' || before.asked !== number) return
    const inVain = outcome === 'named' ? 0 : before.inVain + 1
    if (hurried(before) && (outcome === 'unknown' || outcome === 'unclear')) {
      this.#standings.set(track, { ...before, phase: 'looking', looks: [], inVain })
      return
    }
    const wait = inVain > 0 ? Math.min(FIRST_RETRY_S * 2 ** (inVain - 1), LAST_RETRY_S) : ASK_AGAIN_S
    const nextAt = now + (inVain > 0 ? wait : CHECK_EVERY_S)
    this.#standings.set(track, { ...before, phase: 'resting', looks: [], outcome, person, nextAt, askAt: now + wait, inVain })
  }

  /** The ids of everybody whom a track is named as. */
  people(): Set<string> {
    return new Set([...this.#standings.values()].flatMap(({ person }) => (person === null ? [] : [person])))
  }

  /** Everybody is searched anew: people were registered, renamed or removed. */
  again(): void {
    this.#standings = new Map([...this.#standings.keys()].map((track) => [track, NEW]))
  }

  #wants(track: number, now: number): boolean {
    const standing = this.standing(track)
    if (now < standing.lookAt) return false
    if (standing.phase === 'looking') return standing.looks.length < SHOTS
    const doubted = (this.#doubts.get(track) ?? 0) > standing.settled
    return standing.phase === 'resting' && (now >= standing.nextAt || doubted)
  }

  /** New faces come before known ones, never asked about before the others; then whoever has most shots. */
  #urgency(track: number): number {
    const { phase, outcome, looks, inVain } = this.standing(track)
    return (phase === 'looking' ? 0 : 400) + (outcome === null ? 0 : 200) + (inVain > 0 ? 100 : 0) - looks.length
  }
}

function after(before: Standing, look: Look): Standing {
  if (!fits(before, look)) return { ...NEW, looks: [look] }
  if (before.phase === 'looking') return { ...before, looks: [...before.looks, look] }
  if (look.takenAt >= before.askAt) return { ...before, phase: 'looking', looks: [look] }
  if (before.outcome !== 'named') return before
  return { ...before, nextAt: Math.min(look.takenAt + CHECK_EVERY_S, before.askAt) }
}

function fits({ reference, looks }: Standing, { embedding }: Look): boolean {
  const known = reference ?? looks[0]?.embedding
  return !known || same(known, embedding)
}

/** Whether two unit embeddings of one track are of one person. */
export function same(first: Float32Array, second: Float32Array): boolean {
  return likeness(first, second) >= SAME
}

/** What a shot counts for, 0 to 1: large, sharp and from the front is best; nothing where there is a problem. */
export function worth({ size, sharpness, yaw, pitch, problems }: Quality): number {
  if (problems.length > 0) return 0
  const cosine = (degrees: number): number => Math.cos((degrees * Math.PI) / 180)
  return Math.min(size / FULL_SIZE, 1) * Math.min(sharpness, 1) * cosine(yaw) * cosine(pitch)
}

function ready(standing: Standing, now: number): boolean {
  const { phase, looks } = standing
  const [first] = looks
  if (phase !== 'looking' || !first) return false
  if (neverAnswered(standing) && first.worth >= FIRST_WORTH) return true
  return looks.length >= SHOTS || now - first.takenAt >= PATIENCE_S
}

function neverAnswered({ outcome, inVain }: Standing): boolean {
  return outcome === null && inVain === 0
}

/** Whether a question about a new face was asked with fewer looks than can be had. */
function hurried(standing: Standing): boolean {
  return neverAnswered(standing) && standing.looks.length < SHOTS
}
