import { type RefObject, useEffect, useRef } from 'react';

/** useArrival takes the focus to the first link of a part, else to the part, when it has come: what asked for it is gone by then. */
export function useArrival<Part extends HTMLElement>(come: boolean): RefObject<Part | null> {
  const part = useRef<Part>(null);
  useEffect(() => {
    if (come) (part.current?.querySelector('a') ?? part.current)?.focus({ preventScroll: true });
  }, [come]);
  return part;
}
