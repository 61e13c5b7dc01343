import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { convertCssVariables, defaultCssVariablesResolver, mergeMantineTheme, DEFAULT_THEME } from '@mantine/core';
import { type Plugin, defineConfig } from 'vite';
import { theme, variables } from './src/theme/theme';

// The gateway serves dist/ at /. Everything is a file of its own, nothing inlined, so that the page's
// Content-Security-Policy can forbid all but its own origin.
export default defineConfig({
  plugins: [themeFile(), documents(), compressed()],
  build: {
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 800,
    modulePreload: { polyfill: false },
    rollupOptions: {
      onwarn(warning, warn) {
        // Libraries mark parts for server rendering, which is not done here.
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning);
      },
    },
  },
  server: {
    proxy: Object.fromEntries(
      ['/graphql', '/auth', '/badge', '/graphiql', '/readyz', '^/builds/[^/]+/log\\.txt$'].map((path) => [path, { target: gateway(), ws: true, xfwd: false }]),
    ),
  },
});

/** gateway is where `npm run dev` finds the API. */
function gateway(): string {
  return process.env.DRYDOCK_URL ?? 'http://127.0.0.1:8080';
}

/** themeFile writes the theme's CSS variables into a stylesheet: the library would add a style element, which the policy forbids. */
function themeFile(): Plugin {
  const name = 'virtual:theme.css';
  return {
    name: 'theme-file',
    resolveId: (id) => (id === name ? `\0${name}` : null),
    load(id) {
      if (id !== `\0${name}`) return null;
      const merged = mergeMantineTheme(DEFAULT_THEME, theme);
      const all = defaultCssVariablesResolver(merged);
      const own = variables(merged);
      for (const part of ['variables', 'light', 'dark'] as const) Object.assign(all[part], own[part]);
      return convertCssVariables(all, ':root');
    },
  };
}

/** documents puts each operation where it is used: by the generated map of all, the first page would load every page's. */
function documents(): Plugin {
  const known = new Map<string, string>();
  return {
    name: 'documents',
    apply: 'build',
    enforce: 'pre',
    buildStart() {
      const generated = readFileSync('src/gql/graphql.ts', 'utf8');
      for (const [, name, document] of generated.matchAll(/^export const (\w+) = (\{.*\}) as unknown as DocumentNode/gm)) known.set(name!, document!);
    },
    transform(code, id) {
      if (!/\/src\/(?!gql\/).*\.tsx?$/.test(id)) return null;
      return code.replace(/\bgraphql\(`\s*(query|mutation|subscription|fragment) (\w+)[^`]*`\)/g, (_, kind: string, name: string) => {
        const document = known.get(name + (kind === 'fragment' ? 'FragmentDoc' : 'Document'));
        return document ?? this.error(`there is no generated document of ${kind} ${name}`);
      });
    },
  };
}

/** compressed puts a brotli and a gzip copy beside each asset, for the gateway to send. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    writeBundle({ dir }) {
      for (const file of readdirSync(dir!, { recursive: true, encoding: 'utf8' })) {
        const path = join(dir!, file);
        if (!/\.(js|css|svg)$/.test(file) || statSync(path).size < 1024) continue;
        const text = readFileSync(path);
        writeFileSync(`${path}.gz`, gzipSync(text, { level: 9 }));
        writeFileSync(`${path}.br`, brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: text.length } }));
      }
    },
  };
}
