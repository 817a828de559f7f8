/** Least time between the starts of two looks, in milliseconds: about ten looks a second leave a phone cool. */
export const LOOK_EVERY_MS = 100

/**
 * Calls `look` again and again, never two at once and never more often than `everyMs`, until stopped.
 * It rests while the page is hidden, and ends on the first error, which is handed to `failed`.
 */
export function startLoop(
  look: () => Promise<void>,
  failed: (error: unknown) => void,
  everyMs: number = LOOK_EVERY_MS,
): () => void {
  let running = true
  let timer: ReturnType<typeof setTimeout> | undefined

  async function turn(): Promise<void> {
    const started = performance.now()
    try {
      if (!document.hidden) await look()
    } catch (error) {
      if (running) failed(error)
      return
    }
    if (running) timer = setTimeout(() => void turn(), Math.max(0, started + everyMs - performance.now()))
  }

  void turn()
  return () => {
    running = false
    clearTimeout(timer)
  }
}
