/** Every attack of one leak, protection after protection. */
import type { ZeroMaker } from '@/protect/zeros'
import { attackHomomorphic } from './homomorphic'
import { attackNegative } from './negative'
import { attackPlain } from './plain'
import { attackRanking } from './ranking'
import { Trial, type Leak, type Outcome, type Step, type Target } from './trial'

/** Protects `face` (128 unit components) anew, robs it, and says what came of it. */
export async function attack(
  target: Target,
  face: ArrayLike<number>,
  leak: Leak,
  zeros: () => Promise<ZeroMaker>,
  onStep?: (step: Step) => void,
): Promise<Outcome> {
  const trial = new Trial(target, face, leak, onStep)
  switch (target) {
    case 'homomorphic':
      return attackHomomorphic(trial, await zeros())
    case 'ranking':
      return attackRanking(trial)
    case 'negative':
      return attackNegative(trial)
    case 'insecure_plain':
      return attackPlain(trial)
  }
}
