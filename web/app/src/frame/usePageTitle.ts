import { useEffect } from 'react';

/** usePageTitle names the page in the tab and in the history. */
export function usePageTitle(title: string | undefined): void {
  useEffect(() => {
    document.title = title ? `${title} · Drydock` : 'Drydock';
  }, [title]);
}
