import { defineConfig } from 'vite';

/** Where `npm run dev` finds a control plane. */
const CONTROL_PLANE = 'http://127.0.0.1:15080';

export default defineConfig({
  root: import.meta.dirname,
  // Relative addresses, so that the same build works under any path.
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // The control plane's Content-Security-Policy knows only 'self': nothing becomes a data: address.
    assetsInlineLimit: 0,
    modulePreload: false,
    // Browsers that know light-dark(), nesting and :has() without help.
    target: ['chrome123', 'firefox121', 'safari17.5'],
    cssTarget: ['chrome123', 'firefox121', 'safari17.5'],
    reportCompressedSize: false,
  },
  // The control plane answers only requests that come from its own origin.
  server: {
    proxy: { '/api': { target: CONTROL_PLANE, changeOrigin: true, headers: { origin: CONTROL_PLANE } } },
  },
});
