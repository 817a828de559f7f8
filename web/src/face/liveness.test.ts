import { describe, expect, it } from 'vitest'
import vectors from '../../../vectors/liveness.json'
import { LivenessCheck, type Action } from './liveness'
import type { Box } from './types'

type Frame = readonly [number, number, Box, number, number, readonly unknown[]]
const DIGITS = 1e6
const rounded = (value: number): number => Math.round(value * DIGITS) / DIGITS

describe('a liveness check sees what Python sees', () => {
  it.each(vectors.scenes.map((scene) => [scene.name, scene] as const))('%s', (_name, { plan, frames, steps }) => {
    const check = new LivenessCheck(plan.map(([action, pauseS]) => ({ action: action as Action, pauseS: Number(pauseS) })))
    for (const [at, faces, box, yaw, pitch, told] of frames as unknown as Frame[]) {
      const { stage, action, share, keep, failure } = check.see({ at, faces, box, yaw, pitch })
      expect([stage, action, rounded(share), keep, failure], `at ${at} s`).toEqual(told)
    }
    const done = check.steps.map((step) => [step.action, rounded(step.promptedS), rounded(step.doneS), step.frames])
    expect(done).toEqual(steps)
  })
})
