import { useDeferredValue, useMemo, useRef, useState } from 'react';
import type { Snapshot } from './store';

/** What is searched for and where it is; hit is the index of the line that is shown now. */
export type Search = {
  text: string;
  query: string;
  hits: readonly number[];
  at: number;
  hit: number | undefined;
  setText: (text: string) => void;
  move: (by: 1 | -1) => void;
};

/** useSearch finds the lines of a log that hold a text; of lines that come later it looks through those alone. */
export function useSearch(log: Snapshot): Search {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const query = useDeferredValue(text.trim().toLowerCase());
  const seen = useRef<{ query: string; lines: Snapshot['lines']; upTo: number; hits: number[] }>(undefined);

  const hits = useMemo(() => {
    if (!query) return [];
    let found = seen.current;
    if (!found || found.query !== query || found.lines !== log.lines) found = { query, lines: log.lines, upTo: 0, hits: [] };
    for (; found.upTo < log.lines.length; found.upTo++) {
      if (log.lines[found.upTo]!.plain.toLowerCase().includes(query)) found.hits.push(found.upTo);
    }
    seen.current = found;
    return found.hits;
    // eslint-disable-next-line -- log.lines is the same array for the log's life: its version tells that it grew
  }, [query, log.version]);

  const place = hits.length > 0 ? at % hits.length : 0;
  return {
    text,
    query,
    hits,
    at: place,
    hit: hits[place],
    setText: (next) => {
      setText(next);
      setAt(0);
    },
    move: (by) => hits.length > 0 && setAt((place + by + hits.length) % hits.length),
  };
}
