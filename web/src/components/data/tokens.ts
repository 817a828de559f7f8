import type { Colour } from './paint'

/** The colour a CSS custom property holds just now under `element`, light or dark, as bytes. */
export function tokenColour(element: Element, token: string): Colour {
  const probe = document.createElement('span')
  probe.style.color = `var(${token})`
  element.append(probe)
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })
  if (!canvas) throw new Error('no canvas')
  canvas.fillStyle = getComputedStyle(probe).color
  canvas.fillRect(0, 0, 1, 1)
  probe.remove()
  const [red = 0, green = 0, blue = 0] = canvas.getImageData(0, 0, 1, 1).data
  return [red, green, blue]
}
