import { appRoutes, type Tab } from '@/app/routes'
import { knownSession } from '@/stores/session'
import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'

declare module 'vue-router' {
  interface RouteMeta {
    /** Key of the page's title. */
    title?: string
    /** Only for people who are logged in. */
    account?: boolean
    /** Only for people who are not. */
    guest?: boolean
    /** A page of the app: phone first, without the site's header and footer. */
    app?: boolean
    /** The bar at the bottom shows, with this tab as the current one. */
    tab?: Tab
  }
}

export const routes: RouteRecordRaw[] = [
  { path: '/', name: 'home', component: () => import('@/pages/HomePage.vue'), meta: { title: 'nav.home' } },
  {
    path: '/enrol',
    name: 'enrol',
    component: () => import('@/pages/EnrolPage.vue'),
    meta: { title: 'nav.enrol', account: true },
  },
  {
    path: '/me',
    name: 'me',
    component: () => import('@/pages/MePage.vue'),
    meta: { title: 'nav.me', account: true },
  },
  {
    path: '/recognise',
    name: 'recognise',
    component: () => import('@/pages/RecognisePage.vue'),
    meta: { title: 'nav.recognise', account: true },
  },
  { path: '/watch', name: 'watch', component: () => import('@/pages/WatchPage.vue'), meta: { title: 'nav.watch' } },
  { path: '/breach', name: 'breach', component: () => import('@/pages/BreachPage.vue'), meta: { title: 'nav.breach' } },
  { path: '/about', name: 'about', component: () => import('@/pages/AboutPage.vue'), meta: { title: 'nav.about' } },
  { path: '/terms', name: 'terms', component: () => import('@/pages/TermsPage.vue'), meta: { title: 'nav.terms' } },
  {
    path: '/login',
    name: 'login',
    component: () => import('@/pages/LoginPage.vue'),
    meta: { title: 'nav.login', guest: true },
  },
  {
    path: '/register',
    name: 'register',
    component: () => import('@/pages/RegisterPage.vue'),
    meta: { title: 'nav.register', guest: true },
  },
  ...appRoutes,
  {
    path: '/:rest(.*)*',
    name: 'missing',
    component: () => import('@/pages/NotFoundPage.vue'),
    meta: { title: 'nav.missing' },
  },
]

export const router = createRouter({
  history: createWebHistory('/'),
  routes,
  // Its successor is still experimental.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  scrollBehavior: (to, _from, saved) => saved ?? (to.hash ? { el: to.hash } : { top: 0 }),
})

/** Pages for an account lead strangers to the login and back; the login leads those who are in to their data. */
router.beforeEach(async (to) => {
  if (to.meta.account !== true && to.meta.guest !== true) return true
  const { status, account } = await knownSession()
  if (to.meta.account === true && status === 'ready' && account === null) {
    return { name: to.meta.app === true ? 'app-login' : 'login', query: { next: to.fullPath } }
  }
  if (to.meta.guest === true && account !== null) {
    if (to.meta.app === true) return { name: 'app-wallet' }
    return { name: account.template === null ? 'enrol' : 'me' }
  }
  return true
})
