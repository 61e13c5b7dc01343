import { defineConfig } from 'vite';

// The gateway serves dist/ under /graphiql/. Everything is a file of its own, nothing inlined,
// so that the page's Content-Security-Policy can forbid all but its own origin.
export default defineConfig({
  base: '/graphiql/',
  build: {
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 5000,
    modulePreload: { polyfill: false },
    rollupOptions: {
      onwarn(warning, warn) {
        // Libraries mark parts for server rendering, which is not done here.
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning);
      },
    },
  },
  worker: { format: 'es' },
});
