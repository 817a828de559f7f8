// Runs before the first paint, so that a chosen theme or language does not flash in late.
;(function () {
  const root = document.documentElement
  try {
    const theme = localStorage.getItem('veilface.theme')
    if (theme === 'light' || theme === 'dark') root.dataset.theme = theme
    if (localStorage.getItem('veilface.language') === 'en') root.lang = 'en'
  } catch {
    // Storage may be switched off; the defaults are fine.
  }
})()
