import { type CSSVariablesResolver, type MantineColorsTuple, type MantineThemeOverride, createTheme } from '@mantine/core';

const dock: MantineColorsTuple = ['#edf6fc', '#d8e9f5', '#abd2ec', '#7bbae3', '#55a6dc', '#3e99d8', '#2b8dd0', '#1b75b1', '#0b639b', '#085482'];
const gray: MantineColorsTuple = ['#f7f9fb', '#eef2f6', '#e2e8ee', '#d3dbe3', '#b8c3ce', '#94a2b0', '#6d7c8b', '#4b5967', '#33404c', '#1c262f'];
const dark: MantineColorsTuple = ['#dbe3ea', '#b3bfca', '#93a1ae', '#66757f', '#3b4853', '#2b3741', '#202b34', '#171f27', '#10171d', '#0b1015'];

/** Components of the library, and how this app wants them by default. */
export const theme: MantineThemeOverride = createTheme({
  primaryColor: 'dock',
  primaryShade: { light: 8, dark: 8 },
  colors: { dock, gray, dark },
  defaultRadius: 'md',
  cursorType: 'pointer',
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', sans-serif",
  fontFamilyMonospace: "'JetBrains Mono Variable', ui-monospace, 'SF Mono', Menlo, Consolas, monospace",
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.125rem' },
  headings: { fontWeight: '600', sizes: { h1: { fontSize: '1.5rem' }, h2: { fontSize: '1.0625rem' }, h3: { fontSize: '0.9375rem' } } },
  respectReducedMotion: true,
  components: {
    // Within the main landmark, as all that the page says.
    Tooltip: { defaultProps: { portalProps: { target: '#main' } } },
  },
});

/** What the library's own colors lack in contrast (WCAG AA), put right. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#566472',
    '--mantine-color-placeholder': '#66737f',
    '--mantine-color-error': '#b42318',
    '--mantine-color-anchor': '#0b639b',
    '--mantine-color-default-border': 'var(--mantine-color-gray-3)',
  },
  dark: {
    '--mantine-color-dimmed': '#9aa8b4',
    '--mantine-color-placeholder': '#8795a1',
    '--mantine-color-error': '#ff9b8f',
    '--mantine-color-anchor': '#7bbae3',
    '--mantine-color-red-light': '#3a1a19',
    '--mantine-color-red-light-color': '#ffb4ab',
    '--mantine-color-yellow-light': '#332a13',
    '--mantine-color-yellow-light-color': '#f3cf7f',
    '--mantine-color-dock-light': '#132b3d',
    '--mantine-color-dock-light-color': '#a9d4f1',
    '--mantine-color-gray-light': '#222d36',
    '--mantine-color-gray-light-color': '#dbe3ea',
  },
});
