/** For tools that read TypeScript without knowing Vue (ESLint); vue-tsc sees the real components. */
declare module '*.vue' {
  import type { DefineComponent } from 'vue'
  const component: DefineComponent
  export default component
}
