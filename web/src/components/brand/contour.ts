/**
 * A face that belongs to nobody: a relief of smooth bumps, lit from the upper left.
 *
 * Coordinates: u to the right and v downwards, the head about 1.5 wide and 2.1 high around (0, 0).
 */

const gauss = (u: number, v: number, width: number, height: number): number =>
  Math.exp(-((u / width) ** 2 + (v / height) ** 2))

const smooth = (edge0: number, edge1: number, x: number): number => {
  const t = Math.min(1, Math.max(0, (x - edge0) / (edge1 - edge0)))
  return t * t * (3 - 2 * t)
}

/** Half the head's width at height v: round above, narrowing to the chin. */
function halfWidth(v: number): number {
  if (v < -0.1) return 0.76 * Math.sqrt(Math.max(0, 1 - ((v + 0.1) / 1.0) ** 2))
  const down = (v + 0.1) / 1.13
  return 0.76 * Math.max(0, 1 - down ** 2.5) ** 0.56
}

/** 1 inside the head, 0 outside, soft over the rim. */
function head(u: number, v: number): number {
  const half = halfWidth(v)
  return half <= 0 ? 0 : smooth(1.03, 0.97, Math.abs(u) / half)
}

function shoulders(u: number, v: number): number {
  const neck = v > 0.62 && Math.abs(u) < 0.36 + 0.1 * smooth(0.95, 1.25, v) ? 1 : 0
  const line = 1.42 - 0.3 * Math.exp(-((u / 0.62) ** 2))
  return Math.max(neck, smooth(line - 0.02, line + 0.02, v) * smooth(1.32, 1.26, Math.abs(u)))
}

/** Height of the relief. */
function height(u: number, v: number): number {
  const half = Math.max(0.05, halfWidth(v))
  const side = Math.abs(u)
  const dome = 0.8 * Math.sqrt(Math.max(0, 1 - Math.min(1, side / half) ** 2.4))
  const brow = 0.07 * gauss(side - 0.3, v + 0.22, 0.24, 0.09)
  const socket = -0.1 * gauss(side - 0.31, v + 0.07, 0.17, 0.11)
  const lid = 0.075 * gauss(side - 0.31, v + 0.055, 0.12, 0.055)
  const bridge = 0.1 * gauss(u, v - 0.06, 0.1, 0.3)
  const tip = 0.13 * gauss(u, v - 0.3, 0.12, 0.11) + 0.06 * gauss(side - 0.12, v - 0.33, 0.06, 0.055)
  const cheek = 0.08 * gauss(side - 0.42, v - 0.2, 0.2, 0.2)
  const lips = 0.075 * gauss(u, v - 0.565, 0.2, 0.045) + 0.085 * gauss(u, v - 0.665, 0.16, 0.05)
  const under = -0.05 * gauss(u, v - 0.77, 0.15, 0.05)
  const chin = 0.1 * gauss(u, v - 0.88, 0.18, 0.1)
  return dome + brow + socket + lid + bridge + tip + cheek + lips + under + chin
}

/** Hair, brows, eyes and the line of the mouth: dark of their own, whatever the light. */
function pigment(u: number, v: number): number {
  const side = Math.abs(u)
  const hairline = -0.5 - 0.16 * Math.cos(2.1 * (u + 0.12)) + 0.9 * smooth(0.42, 0.74, side)
  const hair = smooth(hairline + 0.05, hairline - 0.05, v)
  const browLine = -0.235 - 0.055 * Math.cos((side - 0.34) * 6)
  const brow = 0.8 * Math.exp(-(((v - browLine) / 0.034) ** 2)) * smooth(0.1, 0.17, side) * smooth(0.53, 0.44, side)
  const opening = 0.05 * Math.sqrt(Math.max(0, 1 - ((side - 0.31) / 0.135) ** 2))
  const lidLine = opening > 0 ? 0.8 * Math.exp(-(((v + 0.065 + opening) / 0.022) ** 2)) : 0
  const iris = 0.95 * smooth(0.062, 0.045, Math.hypot(side - 0.31, v + 0.065))
  const mouth = 0.75 * Math.exp(-(((v - 0.602 - 0.012 * Math.cos(u * 14)) / 0.02) ** 2)) * smooth(0.25, 0.2, side)
  const lip = 0.2 * gauss(u, v - 0.625, 0.2, 0.08)
  const nostril = 0.6 * gauss(side - 0.085, v - 0.385, 0.035, 0.02)
  return Math.max(0.88 * hair, brow, lidLine, iris, mouth, lip, nostril)
}

/** How much light falls on the relief here, 0 to 1. */
function light(u: number, v: number): number {
  const step = 0.012
  const du = (height(u + step, v) - height(u - step, v)) / (2 * step)
  const dv = (height(u, v + step) - height(u, v - step)) / (2 * step)
  return Math.max(0, (0.4 * du + 0.3 * dv + 0.87) / Math.hypot(du, dv, 1))
}

export interface Point {
  /** Darkness of its own and of its shadow, 0 (paper) to 1 (ink). */
  tone: number
  /** Height above the picture's plane, about 0 to 1. */
  rise: number
}

/** The relief at (u, v), or undefined where there is nobody. */
export function reliefAt(u: number, v: number): Point | undefined {
  if (head(u, v) > 0.5) {
    const shade = 0.9 - 0.86 * light(u, v)
    return { tone: Math.min(1, Math.max(0.08, shade, pigment(u, v))), rise: height(u, v) }
  }
  if (shoulders(u, v) < 0.5) return undefined
  const under = 0.5 * smooth(1.25, 0.8, v) * smooth(0.6, 0.2, Math.abs(u))
  return { tone: 0.28 + under + 0.25 * smooth(-0.2, 1.1, u), rise: 0.25 * Math.exp(-((u / 0.7) ** 2)) }
}
