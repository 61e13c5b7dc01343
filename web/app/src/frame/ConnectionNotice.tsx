import { useEffect, useState, useSyncExternalStore } from 'react';
import { connectionStore } from '../api/socket';
import classes from './ConnectionNotice.module.css';

/** How long a connection may be away before the page speaks of it, in milliseconds. */
const patience = 700;

/** How long it says that the connection is back, in milliseconds. */
const relief = 6_000;

/** Says that what shows may be old while the connection is lost, and for a moment that it is back. */
export function ConnectionNotice() {
  const connection = useSyncExternalStore(connectionStore.subscribe, connectionStore.get);
  const [notice, setNotice] = useState<'lost' | 'back'>();

  useEffect(() => {
    if (connection === 'lost') {
      const timer = setTimeout(() => setNotice('lost'), patience);
      return () => clearTimeout(timer);
    }
    setNotice((before) => (before === 'lost' ? 'back' : undefined));
    const timer = setTimeout(() => setNotice(undefined), relief);
    return () => clearTimeout(timer);
  }, [connection]);

  return (
    <div role="status" className={classes.notice} data-notice={notice}>
      {notice === 'lost' && 'Connection lost: what you see may be old. Connecting again…'}
      {notice === 'back' && 'Connected again: everything is up to date.'}
    </div>
  );
}
