import { createApp } from 'vue'
import App from '@/App.vue'
import { currentLanguage, i18n, setLanguage } from '@/i18n'
import { router } from '@/router'
import '@/styles/tokens.css'
import '@/styles/base.css'

setLanguage(currentLanguage())
createApp(App).use(i18n).use(router).mount('#app')
