import { createApp, h, nextTick, type Component } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import { i18n } from '@/i18n'

export interface Mounted {
  root: HTMLElement
  /** The first match; raises where there is none. */
  find: (selector: string) => HTMLElement
  unmount: () => void
}

/** Mounts a component with the languages and a router, as the site does; props and slots as for `h`. */
export async function mount(component: Component, props: object = {}, slots: Record<string, () => string> = {}): Promise<Mounted> {
  const root = document.body.appendChild(document.createElement('div'))
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/app/wallet', name: 'app-wallet', component: { render: () => null } },
      { path: '/:rest(.*)*', name: 'home', component: { render: () => null } },
    ],
  })
  const app = createApp({ render: () => h(component, props, slots) }).use(i18n).use(router)
  app.mount(root)
  await nextTick()
  return {
    root,
    find(selector) {
      const found = root.querySelector<HTMLElement>(selector)
      if (!found) throw new Error(`nothing matches ${selector} in ${root.innerHTML}`)
      return found
    },
    unmount() {
      app.unmount()
      root.remove()
    },
  }
}
