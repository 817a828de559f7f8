/** The pages of the app; the site's own are in `router.ts`. */
import type { RouteRecordRaw } from 'vue-router'

export type Tab = 'wallet' | 'face' | 'me'

const APP = { app: true } as const
const PERSONAL = { app: true, account: true } as const

export const appRoutes: RouteRecordRaw[] = [
  { path: '/app', name: 'app', redirect: { name: 'app-wallet' } },
  {
    path: '/app/wallet',
    name: 'app-wallet',
    component: () => import('@/pages/app/WalletPage.vue'),
    meta: { ...PERSONAL, title: 'app.tabs.wallet', tab: 'wallet' },
  },
  {
    path: '/app/top-up',
    name: 'app-top-up',
    component: () => import('@/pages/app/TopUpPage.vue'),
    meta: { ...PERSONAL, title: 'wallet.topUp.title' },
  },
  {
    path: '/app/receive',
    name: 'app-receive',
    component: () => import('@/pages/app/ReceivePage.vue'),
    meta: { ...PERSONAL, title: 'wallet.receive.title' },
  },
  {
    path: '/app/pay',
    name: 'app-pay',
    component: () => import('@/pages/app/PayPage.vue'),
    meta: { ...PERSONAL, title: 'wallet.pay.title' },
  },
  {
    path: '/app/history',
    name: 'app-history',
    component: () => import('@/pages/app/HistoryPage.vue'),
    meta: { ...PERSONAL, title: 'wallet.history' },
  },
  {
    path: '/app/movements/:id([0-9a-f]{32})',
    name: 'app-movement',
    component: () => import('@/pages/app/MovementPage.vue'),
    meta: { ...PERSONAL, title: 'wallet.detail' },
  },
  {
    path: '/app/face',
    name: 'app-face',
    component: () => import('@/pages/app/FacePage.vue'),
    meta: { ...PERSONAL, title: 'app.tabs.face', tab: 'face' },
  },
  {
    path: '/app/face/enrol',
    name: 'app-enrol',
    component: () => import('@/pages/app/EnrolFacePage.vue'),
    meta: { ...PERSONAL, title: 'nav.enrol' },
  },
  {
    path: '/app/face/recognise',
    name: 'app-recognise',
    component: () => import('@/pages/app/RecogniseFacePage.vue'),
    meta: { ...PERSONAL, title: 'nav.recognise' },
  },
  {
    path: '/app/me',
    name: 'app-me',
    component: () => import('@/pages/app/AccountPage.vue'),
    meta: { ...PERSONAL, title: 'app.tabs.me', tab: 'me' },
  },
  {
    path: '/app/me/devices',
    name: 'app-devices',
    component: () => import('@/pages/app/DevicesPage.vue'),
    meta: { ...PERSONAL, title: 'mine.devices' },
  },
  {
    path: '/app/me/security',
    name: 'app-security',
    component: () => import('@/pages/app/SecurityPage.vue'),
    meta: { ...PERSONAL, title: 'mine.security' },
  },
  {
    path: '/app/me/galleries',
    name: 'app-galleries',
    component: () => import('@/pages/app/GalleriesPage.vue'),
    meta: { ...PERSONAL, title: 'mine.galleries' },
  },
  {
    path: '/app/me/consent',
    name: 'app-consent',
    component: () => import('@/pages/app/ConsentPage.vue'),
    meta: { ...PERSONAL, title: 'nav.terms' },
  },
  {
    path: '/app/login',
    name: 'app-login',
    component: () => import('@/pages/app/FaceLoginPage.vue'),
    meta: { ...APP, title: 'login.face.title', guest: true },
  },
  {
    path: '/app/login/password',
    name: 'app-password',
    component: () => import('@/pages/app/PasswordLoginPage.vue'),
    meta: { ...APP, title: 'login.password.title', guest: true },
  },
  {
    path: '/app/register',
    name: 'app-register',
    component: () => import('@/pages/app/NewAccountPage.vue'),
    meta: { ...APP, title: 'nav.register', guest: true },
  },
]
