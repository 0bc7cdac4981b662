// One page, history routing; every other file carries the hash of its content and lies flat in assets/, as the server
// serves it: /assets/{file}, to be kept forever. Nothing is inlined: the page's security policy allows no inline code.
import { defineConfig } from "vite";

export default defineConfig({
  esbuild: { jsx: "automatic", legalComments: "none" },
  build: {
    target: "es2022",
    assetsDir: "assets",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1000,
    rollupOptions: {
      output: {
        manualChunks: (id) => (/node_modules\/(react|react-dom|scheduler)\//.test(id) ? "react" : undefined),
      },
    },
  },
  server: { proxy: { "/api": "http://127.0.0.1:5050", "/health": "http://127.0.0.1:5050", "/model": "http://127.0.0.1:5050", "/ws": { target: "ws://127.0.0.1:5050", ws: true } } },
});
