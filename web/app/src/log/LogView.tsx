import { Button, Skeleton, Text } from '@mantine/core';
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { useLocation } from 'react-router';
import { Failure } from '../parts/Failure';
import { Lines } from './Lines';
import { LogBar } from './LogBar';
import { Missing } from './Missing';
import { Steps } from './Steps';
import { LogStore } from './store';
import { useSearch } from './useSearch';
import { topOf } from './useWindow';
import classes from './LogView.module.css';

type Props = {
  /** The build's id. */
  id: string;
  /** Whether the build has ended: then nothing is printed any more. */
  done: boolean;
};

/** A build's log: as it comes, searched, and with an address for each line. */
export function LogView({ id, done }: Props) {
  const store = useMemo(() => new LogStore(id), [id]);
  useEffect(() => store.start(), [store]);
  const log = useSyncExternalStore(store.subscribe, store.get);
  const { lines, complete } = log;
  const box = useRef<HTMLDivElement>(null);
  const linked = useLinkedLine();
  const [follow, setFollow] = useState(linked === undefined);
  const search = useSearch(store);
  const { query, place, moves } = search.found;

  const going = useRef(false);
  const goTo = useCallback(
    (number: number) => {
      setFollow(false);
      const { current } = box;
      if (!current) return;
      const before = current.scrollTop;
      current.scrollTop = topOf(store.kept.indexOf(number)) - current.clientHeight / 2;
      going.current = current.scrollTop !== before;
      current.scrollIntoView({ block: 'nearest' });
    },
    [store],
  );

  // A line's address is gone to as soon as the line is there.
  const there = linked !== undefined && lines.length > 0 && lines.at(-1)!.number >= linked;
  useEffect(() => {
    if (there) goTo(linked);
  }, [linked, there, goTo]);

  const hit = place === undefined ? undefined : store.kept.at(place)?.number;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the next of one line is that line, gone to again
  useEffect(() => {
    if (hit !== undefined) goTo(hit);
  }, [hit, moves, goTo]);

  return (
    <>
      <Steps steps={log.steps} end={complete || done ? lines.at(-1)?.time : undefined} goTo={goTo} />
      <section className={`card ${classes.log}`} aria-label="Log">
        <LogBar search={search} state={stateOf(lines.length, complete, done)} live={!complete && !done} follow={follow} setFollow={setFollow} id={id} />
        {log.error && (
          <div className={classes.aside}>
            <Failure error={log.error} retry={store.again} />
          </div>
        )}
        <Missing first={lines[0]?.number ?? 1} dropped={log.dropped} />
        {log.version === 0 && <Skeleton height={14} width="60%" m="md" role="status" aria-busy="true" aria-label="Loading the log" />}
        {log.version > 0 && lines.length === 0 && !log.error && (
          <Text className={classes.aside} c="dimmed">
            {complete ? 'This build printed nothing.' : 'Nothing was printed yet. Lines appear here as they come.'}
          </Text>
        )}
        <Lines box={box} going={going} log={log} follow={follow} setFollow={setFollow} linked={linked} hit={hit} query={query} />
        {!follow && !complete && lines.length > 0 && (
          <Button size="xs" className={classes.jump} onClick={() => setFollow(true)}>
            Follow new lines
          </Button>
        )}
      </section>
    </>
  );
}

/** stateOf says how far a log has come. While a build runs, the lines themselves tell. */
function stateOf(lines: number, complete: boolean, done: boolean): string {
  if (!complete && !done) return 'Live';
  return `${lines.toLocaleString('en')} lines${complete ? '' : ' so far'}`;
}

/** useLinkedLine is the line that the address names, as #L12. */
function useLinkedLine(): number | undefined {
  const { hash } = useLocation();
  const number = /^#L([1-9]\d{0,8})$/.exec(hash)?.[1];
  return number ? Number(number) : undefined;
}
