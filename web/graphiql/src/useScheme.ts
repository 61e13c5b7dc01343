import { useSyncExternalStore } from 'react';

/** Where the app keeps which color scheme somebody chose there. */
const key = 'mantine-color-scheme-value';

const system = matchMedia('(prefers-color-scheme: dark)');

/** useScheme is the app's color scheme, also when it changes in another tab; without a choice, the system's. */
export function useScheme(): 'light' | 'dark' {
  return useSyncExternalStore(subscribe, read);
}

function subscribe(tell: () => void): () => void {
  addEventListener('storage', tell);
  system.addEventListener('change', tell);
  return () => {
    removeEventListener('storage', tell);
    system.removeEventListener('change', tell);
  };
}

function read(): 'light' | 'dark' {
  const chosen = localStorage.getItem(key);
  if (chosen === 'light' || chosen === 'dark') return chosen;
  return system.matches ? 'dark' : 'light';
}
