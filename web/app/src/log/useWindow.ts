import { type RefObject, useCallback, useLayoutEffect, useState } from 'react';
import { rowHeight } from './LogRow';

/** Rows that are drawn before and behind those that show. */
const around = 12;
/** The window moves by so many rows at a time. */
const step = 8;

/** padding is above the first row and below the last one, in pixels. */
export const padding = 8;

/** topOf is where a row is. All are as high as each other: nothing is measured, and a log's length costs nothing. */
export function topOf(index: number): number {
  return padding + index * rowHeight;
}

/** useWindow tells which of so many rows to draw; look has it look again, after the box was scrolled. */
export function useWindow(box: RefObject<HTMLElement | null>, count: number): { from: number; to: number; look: () => void } {
  const [first, setFirst] = useState(0);
  const [visible, setVisible] = useState(0);
  const look = useCallback(() => {
    const { scrollTop, clientHeight } = box.current!;
    setFirst(Math.floor(scrollTop / rowHeight / step) * step);
    setVisible(Math.ceil(clientHeight / rowHeight));
  }, [box]);
  useLayoutEffect(() => {
    const observer = new ResizeObserver(look);
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, [box, look]);
  return { from: Math.max(0, Math.min(first, count) - around), to: Math.min(count, first + step + visible + around), look };
}
