import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { LogSearch, type Found } from './search';
import type { LogStore } from './store';

/** What is searched for, and where it is. */
export type Search = { text: string; setText: (text: string) => void; found: Found; move: (by: 1 | -1) => void };

/** useSearch finds the lines of a log that hold a text, those that come later too. */
export function useSearch(store: LogStore): Search {
  const [text, setText] = useState('');
  const search = useMemo(() => new LogSearch(store.kept), [store]);
  const found = useSyncExternalStore(search.subscribe, search.get);
  useEffect(() => store.subscribe(search.goOn), [store, search]);
  useEffect(() => search.look(text), [search, text]);
  return useMemo(() => ({ text, setText, found, move: (by) => search.move(by) }), [text, found, search]);
}
