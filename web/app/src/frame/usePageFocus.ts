import { type RefObject, useEffect, useRef } from 'react';
import { useLocation } from 'react-router';

/** usePageFocus takes the focus to the beginning of a page that one went to, and leaves it where it is among a page's own parts. */
export function usePageFocus(): RefObject<HTMLDivElement | null> {
  const main = useRef<HTMLDivElement>(null);
  const page = useLocation().pathname.split('/').slice(0, 3).join('/');
  const before = useRef(page);
  useEffect(() => {
    if (before.current === page) return;
    before.current = page;
    main.current?.focus({ preventScroll: true });
  }, [page]);
  return main;
}
