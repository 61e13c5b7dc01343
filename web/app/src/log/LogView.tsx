import { Button, Skeleton, Text } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { useLocation } from 'react-router';
import { Failure } from '../parts/Failure';
import { LogBar } from './LogBar';
import { LogRow, rowHeight } from './LogRow';
import { Steps } from './Steps';
import { LogStore } from './store';
import { useSearch } from './useSearch';
import classes from './LogView.module.css';

/** A build's log: as it comes, searched, and with an address for each line. */
export function LogView({ id }: { id: string }) {
  const store = useMemo(() => new LogStore(id), [id]);
  useEffect(() => store.start(), [store]);
  const log = useSyncExternalStore(store.subscribe, store.get);
  const { lines } = log;
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    paddingStart: 8,
    paddingEnd: 8,
  });
  const first = lines[0]?.number ?? 1;
  const linked = useLinkedLine();
  const [follow, setFollow] = useState(linked === undefined);
  const search = useSearch(log);

  const goTo = useCallback((number: number) => {
    setFollow(false);
    rows.scrollToIndex(number - first, { align: 'center' });
  }, [rows, first]);

  // A line's address is gone to as soon as the line is there.
  const there = linked !== undefined && linked - first < lines.length && lines.length > 0;
  useEffect(() => {
    if (there) goTo(linked);
    // eslint-disable-next-line -- goTo changes with every line; the address and the line's coming are what counts
  }, [linked, there]);

  useEffect(() => {
    if (follow && lines.length > 0) rows.scrollToIndex(lines.length - 1, { align: 'end' });
  }, [follow, log.version, lines.length, rows]);

  const hit = search.hit === undefined ? undefined : lines[search.hit]?.number;
  useEffect(() => {
    if (hit !== undefined) goTo(hit);
    // eslint-disable-next-line -- as above
  }, [hit]);

  /** onScroll stops to follow when somebody scrolls up, and follows again at the end. */
  function onScroll() {
    const box = scroller.current!;
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < rowHeight * 1.5;
    if (atEnd !== follow && (atEnd || box.scrollTop < lastTop.current)) setFollow(atEnd);
    lastTop.current = box.scrollTop;
  }
  const lastTop = useRef(0);
  const gutter = `${String(first + lines.length).length}ch`;

  return (
    <>
      <Steps log={log} goTo={goTo} />
      <section className={`card ${classes.log}`} aria-label="Log">
        <LogBar search={search} lines={lines} follow={follow} setFollow={setFollow} live={!log.complete} id={id} />
        {log.error && (
          <div className={classes.aside}>
            <Failure error={log.error} retry={store.again} />
          </div>
        )}
        {first > 1 && (
          <Text className={classes.aside} c="dimmed" size="sm">
            Lines 1 to {(first - 1).toLocaleString('en')} are not kept: the log is longer than what is kept of one.
          </Text>
        )}
        {log.version === 0 && <Skeleton height={14} width="60%" m="md" role="status" aria-busy="true" aria-label="Loading the log" />}
        {log.version > 0 && lines.length === 0 && !log.error && (
          <Text className={classes.aside} c="dimmed">
            {log.complete ? 'This build printed nothing.' : 'Nothing was printed yet. Lines appear here as they come.'}
          </Text>
        )}
        <div
          ref={scroller}
          className={classes.scroller}
          hidden={lines.length === 0}
          tabIndex={0}
          role="region"
          aria-label="Lines of the log"
          onScroll={onScroll}
        >
          <div className={classes.lines} style={{ height: rows.getTotalSize(), minWidth: `calc(${log.longest}ch + ${gutter} + 4rem)` }}>
            {rows.getVirtualItems().map((item) => {
              const line = lines[item.index]!;
              return (
                <LogRow key={line.number} line={line} top={item.start} gutter={gutter} linked={line.number === linked} hit={line.number === hit} query={search.query} />
              );
            })}
          </div>
        </div>
        {!follow && !log.complete && lines.length > 0 && (
          <Button size="xs" className={classes.jump} onClick={() => setFollow(true)}>
            Follow new lines
          </Button>
        )}
      </section>
    </>
  );
}

/** useLinkedLine is the line that the address names, as #L12. */
function useLinkedLine(): number | undefined {
  const { hash } = useLocation();
  const number = /^#L([1-9]\d{0,8})$/.exec(hash)?.[1];
  return number ? Number(number) : undefined;
}
