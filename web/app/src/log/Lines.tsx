import { type MouseEvent, type RefObject, useCallback, useLayoutEffect, useRef } from 'react';
import { flushSync } from 'react-dom';
import { useNavigate } from 'react-router';
import { LogRow, mostShown, rowHeight } from './LogRow';
import type { Shown } from './store';
import { padding, topOf, useWindow } from './useWindow';
import classes from './LogView.module.css';

type Props = {
  box: RefObject<HTMLDivElement | null>;
  /** Whether the box was scrolled to a line that was asked for, and has not said so yet. */
  going: RefObject<boolean>;
  log: Shown;
  follow: boolean;
  setFollow: (follow: boolean) => void;
  linked: number | undefined;
  hit: number | undefined;
  query: string;
};

/** The lines of a log, of which only those are drawn that show. */
export function Lines({ box, going, log, follow, setFollow, linked, hit, query }: Props) {
  const { lines, dropped } = log;
  const { from, to, look } = useWindow(box, lines.length);
  const lastTop = useRef(0);
  const lastDropped = useRef(0);
  const go = useGo();

  // Whoever follows stays at the end; whoever reads stays at the line, also when older ones are dropped.
  // biome-ignore lint/correctness/useExhaustiveDependencies: lines are the same array for the log's life, its version tells that they changed
  useLayoutEffect(() => {
    const { current } = box;
    if (!current) return;
    if (follow) current.scrollTop = current.scrollHeight;
    else if (dropped > lastDropped.current) current.scrollTop -= (dropped - lastDropped.current) * rowHeight;
    lastDropped.current = dropped;
    look();
  }, [box, follow, log.version, dropped, look]);

  /** onScroll stops to follow when somebody scrolls up, and follows again at the end. A line near the end that was gone to is not run away from. */
  function onScroll() {
    flushSync(look); // before the browser paints: no gap is seen
    const { scrollHeight, scrollTop, clientHeight } = box.current!;
    const atEnd = scrollHeight - scrollTop - clientHeight < rowHeight * 1.5;
    if (going.current) going.current = false;
    else if (atEnd !== follow && (atEnd || scrollTop < lastTop.current)) setFollow(atEnd);
    lastTop.current = scrollTop;
  }

  const gutter = `${String(lines.at(-1)?.number ?? 1).length}ch`;
  const width = `calc(${Math.min(log.longest, mostShown)}ch + ${gutter} + 4rem)`;
  return (
    <div ref={box} className={classes.scroller} hidden={lines.length === 0} tabIndex={0} role="region" aria-label="Lines of the log" onScroll={onScroll}>
      <div className={classes.lines} style={{ height: topOf(lines.length) + padding, minWidth: width }}>
        {lines.slice(from, to).map((line, index) => (
          <LogRow
            key={line.number}
            line={line}
            top={topOf(from + index)}
            gutter={gutter}
            linked={line.number === linked}
            hit={line.number === hit}
            query={query}
            go={go}
          />
        ))}
      </div>
    </div>
  );
}

/** useGo is what a click on a line's number does: the address becomes the line's, without a new place in the history. */
function useGo(): (event: MouseEvent<HTMLAnchorElement>) => void {
  const navigate = useNavigate();
  return useCallback(
    (event) => {
      if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return; // the browser's own
      event.preventDefault();
      void navigate(event.currentTarget.hash, { replace: true, preventScrollReset: true });
    },
    [navigate],
  );
}
