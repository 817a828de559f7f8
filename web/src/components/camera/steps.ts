/** The way from shutter to answer, in order. */
export const STEPS = ['found', 'aligned', 'measured', 'protected', 'sent', 'answered'] as const
export type Step = (typeof STEPS)[number]

/** Milliseconds each finished step took; a step that is missing has not happened yet. */
export type Timings = Readonly<Partial<Record<Step, number>>>

/** Where a step stands while `timings` are being filled in order. */
export function stepState(step: Step, timings: Timings, running: boolean): 'done' | 'running' | 'waiting' {
  if (timings[step] !== undefined) return 'done'
  const next = STEPS.find((name) => timings[name] === undefined)
  return running && step === next ? 'running' : 'waiting'
}

/** '8 ms', '1.2 s': three figures are enough for a person. */
export function duration(milliseconds: number, language: string): string {
  const seconds = milliseconds >= 1000
  const value = seconds ? milliseconds / 1000 : milliseconds
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit: seconds ? 'second' : 'millisecond',
    unitDisplay: 'short',
    maximumFractionDigits: seconds || value < 10 ? 1 : 0,
  }).format(value)
}
