import type { AttackDetector } from '@/face/liveness'

let plugged: AttackDetector | null = null

/** Plugs in a model that tells live faces from prints and screens; none ships with Veilface. Null takes it out. */
export function plugAttackDetector(detector: AttackDetector | null): void {
  plugged = detector
}

/** The model that was plugged in, if any. */
export function attackDetector(): AttackDetector | null {
  return plugged
}
