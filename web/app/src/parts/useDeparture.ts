import { useEffect, useState } from 'react';

/** useDeparture leaves for a page elsewhere; leaving holds until that has come, or until the back button brings this one again. */
export function useDeparture() {
  const [leaving, setLeaving] = useState(false);
  useEffect(() => {
    const back = () => setLeaving(false);
    addEventListener('pageshow', back);
    return () => removeEventListener('pageshow', back);
  }, []);
  return {
    leaving,
    leave(url: string) {
      setLeaving(true);
      location.assign(url);
    },
  };
}
